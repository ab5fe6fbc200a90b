// A file that is chosen, dropped or made on the page, and the question about it. The page says with
// `use(file)` what becomes of one, and with `SINGULAR` what it is called.
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

// Browsers read other formats than the service, such as a phone's: `convert` makes a plain file.
async function askFile(file, health, convert) {
  const answer = await post(file, health);
  if (answer.predictions[0].flag !== "unreadable") return answer;
  const plain = await convert(file).catch(() => null);
  return plain ? post(plain, health) : answer;
}

function post(file, health) {
  if (file.size > health.max_body) {
    throw new Error(`The ${SINGULAR} is too large: ${megabytes(file.size)} MB, where ${megabytes(health.max_body)} MB are accepted.`);
  }
  return ask(`predict?explain=${health.can_explain}`, {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream" },
    body: file,
  });
}

find("file").addEventListener("change", (event) => {
  if (event.target.files.length) use(event.target.files[0]);
});
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    find("drop").classList.toggle("is-over", kind === "dragenter" || kind === "dragover");
  });
}
document.addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  find("file").value = "";
  use(event.dataTransfer.files[0]);
});
