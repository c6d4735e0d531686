/** The share page's button that copies a sheet's address; without JavaScript it stays hidden. */

const SHOWN_MS = 2_000; // long enough to be read, and to be read out

const button = /** @type {HTMLButtonElement} */ (document.getElementById("copy-link"));
const address = /** @type {HTMLElement} */ (document.getElementById("address"));
const label = button.textContent;

async function copy() {
  try {
    await navigator.clipboard.writeText(address.textContent ?? "");
    button.textContent = button.dataset.copied ?? "";
  } catch {
    // Without https there is no clipboard: the address is marked instead, ready for the keyboard.
    getSelection()?.selectAllChildren(address);
    button.textContent = button.dataset.failed ?? "";
  }
  setTimeout(() => (button.textContent = label), SHOWN_MS);
}

button.hidden = false;
button.addEventListener("click", () => void copy());
