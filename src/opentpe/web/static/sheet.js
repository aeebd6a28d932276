// The run sheet in print: date fields that are empty, or only suggested, stay blank lines.
const mark = (input) => input.classList.toggle("filled", input.value !== "");
for (const input of document.querySelectorAll('.sheet input[type="date"], .sheet input[type="datetime-local"]')) {
  if (!input.classList.contains("known")) mark(input);
  input.addEventListener("input", () => mark(input));
}
