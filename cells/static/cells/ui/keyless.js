/** Text that comes to the selected cell without a key: from an emoji picker, a dictation, an assistive tool. */

/**
 * Let an element that is no field take such text. It takes an EditContext (Chromium has it); elsewhere browsers give
 * text to fields alone, and there is none while a cell is only selected.
 * @param {HTMLElement} host
 * @param {(text: string) => void} take
 */
export function takeKeylessText(host, take) {
  const Context = /** @type {{EditContext?: new () => EventTarget & {updateText: (from: number, to: number, text: string) => void}}} */ (
    /** @type {unknown} */ (globalThis)
  ).EditContext;
  if (Context === undefined) return;
  const context = new Context();
  let held = 0;
  context.addEventListener("textupdate", (event) => {
    const { text } = /** @type {Event & {text: string}} */ (event);
    held += text.length;
    context.updateText(0, held, ""); // the cell has it: nothing is held here
    held = 0;
    if (text) take(text);
  });
  host.setAttribute("inputmode", "none"); // selecting a cell must not raise a phone's keyboard
  /** @type {HTMLElement & {editContext?: unknown}} */ (host).editContext = context;
}
