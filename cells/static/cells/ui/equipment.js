/**
 * What a sheet's page can do without until its first cells are on the screen: loaded next, and long before it is needed.
 * Nothing that is needed to show a cell, to move about and to type may be here; what is asked of it before it has come is
 * done then.
 */

export { Actions } from "./actions.js";
export { Borders } from "./borders.js";
export { Clipboard } from "./clipboard.js";
export { equip } from "./equipping.js";
export { FillHandle } from "./fill_handle.js";
export { Filling } from "./filling.js";
export { fitRows } from "./fitting.js";
export { Flight } from "./flight.js";
export { FormulaEditing } from "./formula_editing.js";
export { noteOf } from "./formula_notes.js";
export { placeHandles } from "./handles.js";
export { lookChangeOf } from "./look_keys.js";
export { Menu } from "./menu.js";
export { menuItems } from "./menu_items.js";
export { Styling } from "./styling.js";
export { Touch } from "./touch.js";
