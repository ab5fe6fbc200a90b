"""What finished runs say: numbers from their records and predictions. No Keras here."""
