"""`f_embed`: from what a user has to the vectors that encoder, gate and pooling work on.

Every kind of input is one file here that ends in an `Embedded`, and the models know no more of it.
"""
