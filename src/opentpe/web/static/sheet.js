// The run sheet in print: empty date fields stay blank lines instead of showing a pattern.
const mark = (input) => input.classList.toggle("filled", input.value !== "");
for (const input of document.querySelectorAll('.sheet input[type="date"], .sheet input[type="datetime-local"]')) {
  mark(input);
  input.addEventListener("input", () => mark(input));
}
