/** Small drawings for buttons, made of lines in the colour of the text. */

const SVG = "http://www.w3.org/2000/svg";

/** @type {Record<string, string[]>} paths in a square of 20 */
const DRAWINGS = {
  undo: ["M4.5 8.5h8a4 4 0 0 1 0 8h-3", "M8 5 4.5 8.5 8 12"],
  redo: ["M15.5 8.5h-8a4 4 0 0 0 0 8h3", "M12 5l3.5 3.5L12 12"],
  color: ["M5.5 14 10 3l4.5 11", "M7 10.5h6"],
  fill: ["M8.2 3.2 3.6 7.8a1.4 1.4 0 0 0 0 2l3.6 3.6a1.4 1.4 0 0 0 2 0l5-5z", "M6.4 1.6 14.2 8.4", "M16.4 10.6c.9 1.3 1.3 2 1.3 2.7a1.3 1.3 0 0 1-2.6 0c0-.7.4-1.4 1.3-2.7z"],
  left: ["M3 5h14M3 10h8M3 15h11"],
  center: ["M3 5h14M6 10h8M4.5 15h11"],
  right: ["M3 5h14M9 10h8M6 15h11"],
  wrap: ["M3 5h14", "M3 10h11a2.75 2.75 0 0 1 0 5.5h-3", "M13 13.2l-2.3 2.3 2.3 2.3", "M3 15.5h4"],
  clear: ["M6 4h10M11 4 9.6 9", "M8.4 13.2 7.6 16", "M3.5 3.5l13 13"],
  freeze: ["M10 2.5v15M3.5 6.25l13 7.5M16.5 6.25l-13 7.5", "M7.8 3.6 10 5.6l2.2-2M7.8 16.4l2.2-2 2.2 2"],
  less: ["M17 10H3", "M7.5 5.5 3 10l4.5 4.5"],
  more: ["M3 10h14", "M12.5 5.5 17 10l-4.5 4.5"],
  down: ["M6 8l4 4 4-4"],
  stream: ["M2.5 7c2.5-2.6 5-2.6 7.5 0s5 2.6 7.5 0", "M2.5 13c2.5-2.6 5-2.6 7.5 0s5 2.6 7.5 0"],
  check: ["M4.5 10.5 8.5 14.5 16 6"],
  none: ["M10 3.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z", "M5.4 14.6 14.6 5.4"],
};

/**
 * @param {string} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  for (const [attribute, value] of Object.entries({ class: `icon icon-${name}`, viewBox: "0 0 20 20", "aria-hidden": "true" })) drawing.setAttribute(attribute, value);
  for (const path of DRAWINGS[name]) {
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("d", path);
    drawing.append(line);
  }
  return drawing;
}
