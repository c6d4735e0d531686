/** What a change of the past was, in words: who made it, by which way it came, and what became of a cell's looks. */

import { cleanStyle } from "../domain/styles.js";
import { formatName } from "./format_names.js";
import { nameOf } from "./presence.js";
import { gettext } from "./words.js";

/** @typedef {import("../domain/styles.js").Style} Style */
/** @typedef {{kind: string, name: string, color?: string|null}} Author */
/** @typedef {{subscription?: string, message_id?: string, published_at?: string|null, file?: string}} Source of what a stream wrote, or a file brought */

/** @param {Author} author */
export function authorName({ kind, name }) {
  return name || nameOf(kind);
}

/**
 * Return where changes of a kind of author come from, to choose from.
 * @returns {[kind: string, label: string][]}
 */
export function sources() {
  return [
    ["user", gettext("People with an account")],
    ["guest", gettext("Guests")],
    ["stream", gettext("Streams")],
    ["api", gettext("Programs")],
    ["admin", gettext("Administrators")],
    ["import", gettext("Imported files")],
  ];
}

/**
 * Return by which way a change came; "" for a person in a browser.
 * @param {string} kind of its author
 * @param {string} operation the kind of the operation
 * @param {Source|null} source
 */
export function wayOf(kind, operation, source) {
  return [originWords(kind, source), operationWords(operation)].filter(Boolean).join(" · ");
}

/**
 * @param {string} kind
 * @param {Source|null} source
 */
function originWords(kind, source) {
  switch (kind) {
    case "api": return gettext("By a program");
    case "admin": return gettext("By an administrator");
    case "import": return source?.file ? gettext("From the file %(name)s", { name: source.file }) : gettext("From a file");
    case "calculator": return gettext("Calculated");
    case "stream": return source?.message_id
      ? gettext("Stream %(subscription)s, message %(id)s", { subscription: source.subscription ?? "", id: source.message_id })
      : gettext("By a stream");
    default: return "";
  }
}

/** @param {string} kind */
function operationWords(kind) {
  switch (kind) {
    case "undo": return gettext("By an undo");
    case "redo": return gettext("By a redo");
    case "restore": return gettext("By restoring an earlier version");
    case "reorder_cells": return gettext("By sorting");
    default: return "";
  }
}

/**
 * Return what a change did to a cell's looks, a phrase for each of its parts.
 * @param {unknown} old as the wire has it
 * @param {unknown} now
 * @returns {string[]}
 */
export function looksChanged(old, now) {
  const before = cleanStyle(old) ?? {};
  const after = cleanStyle(now) ?? {};
  const words = [];
  for (const key of /** @type {const} */ (["bold", "italic", "strike", "wrap"])) {
    if (before[key] !== after[key]) words.push(switchWords(key, after[key] === true));
  }
  if (before.color !== after.color) words.push(gettext("Text colour: %(color)s", { color: after.color ?? gettext("Automatic") }));
  if (before.fill !== after.fill) words.push(gettext("Fill colour: %(color)s", { color: after.fill ?? gettext("No fill") }));
  if (before.align !== after.align) words.push(alignWords(after.align));
  if (before.format !== after.format || before.currency !== after.currency) {
    const name = formatName(after.format);
    words.push(gettext("Number format: %(name)s", { name: after.currency ? `${name} (${after.currency})` : name }));
  }
  if (before.decimals !== after.decimals) words.push(gettext("Decimals: %(count)s", { count: after.decimals ?? gettext("Automatic") }));
  return words;
}

/**
 * @param {"bold"|"italic"|"strike"|"wrap"} key
 * @param {boolean} isOn
 */
function switchWords(key, isOn) {
  switch (key) {
    case "bold": return isOn ? gettext("Bold") : gettext("No longer bold");
    case "italic": return isOn ? gettext("Italic") : gettext("No longer italic");
    case "strike": return isOn ? gettext("Struck through") : gettext("No longer struck through");
    case "wrap": return isOn ? gettext("Text wrapped") : gettext("Text no longer wrapped");
  }
}

/** @param {Style["align"]} align */
function alignWords(align) {
  switch (align) {
    case "left": return gettext("Aligned left");
    case "center": return gettext("Aligned in the centre");
    case "right": return gettext("Aligned right");
    default: return gettext("Alignment: automatic");
  }
}
