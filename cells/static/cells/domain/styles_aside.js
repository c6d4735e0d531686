/** HTML of other programs, whose styles are put where a content security policy leaves them alone. */

export const STYLE = "data-style"; // the attribute
export const STYLE_SHEET = "text/css"; // the type of a script, which no browser runs

const ATTRIBUTE = /(^|[\s/])style(?=\s*=)/gi;

/**
 * Return HTML with its attributes `style` named STYLE, and its elements <style> made scripts of the type STYLE_SHEET.
 *
 * A page's policy holds for whatever the page parses, even where it is shown nowhere: styles would be dropped, and a breach reported for each.
 * What is a tag and what a value is read as browsers do: https://html.spec.whatwg.org/multipage/parsing.html#tokenization
 * @param {string} html
 */
export function withStylesAside(html) {
  /** @type {string[]} */
  const parts = [];
  const tags = /<\/?[a-z]+/gi;
  let done = 0;
  for (let tag = tags.exec(html); tag !== null; tag = tags.exec(html)) {
    parts.push(html.slice(done, tag.index), renamed(tag[0]));
    done = tags.lastIndex;
    const stops = /["'>]/g;
    stops.lastIndex = done;
    for (let stop = stops.exec(html); ; stop = stops.exec(html)) {
      if (stop === null) return parts.join(""); // a tag without an end is none, nor is anything behind it
      const between = html.slice(done, stop.index);
      if (stop[0] !== ">" && !between.trimEnd().endsWith("=")) continue; // a stray quote
      parts.push(between.replace(ATTRIBUTE, `$1${STYLE}`));
      done = stop.index;
      if (stop[0] === ">") break;
      const end = html.indexOf(stop[0], done + 1);
      if (end < 0) return parts.join("");
      parts.push(html.slice(done, end + 1));
      done = stops.lastIndex = end + 1;
    }
    tags.lastIndex = done;
  }
  parts.push(html.slice(done));
  return parts.join("");
}

/** @param {string} tag like `<td` or `</style` */
function renamed(tag) {
  const name = tag.toLowerCase();
  if (name === "<style") return `<script type="${STYLE_SHEET}"`;
  return name === "</style" ? "</script" : tag;
}
