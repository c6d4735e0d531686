/** Where the keyboard leads: pure arithmetic on positions. */

/**
 * Return where Ctrl with an arrow leads: to the end of the block of filled cells, else to the next filled cell, else to
 * the end of the axis.
 * @param {number} position
 * @param {1|-1} direction
 * @param {ReadonlySet<number>} filled positions on this line
 * @param {number} length of the axis
 */
export function edgeOfData(position, direction, filled, length) {
  const last = direction > 0 ? length - 1 : 0;
  if (filled.has(position) && filled.has(position + direction)) {
    while (filled.has(position + direction)) position += direction;
    return position;
  }
  let nearest = last;
  for (const candidate of filled) {
    const isAhead = (candidate - position) * direction > 0;
    if (isAhead && (nearest - candidate) * direction > 0) nearest = candidate;
  }
  return nearest;
}
