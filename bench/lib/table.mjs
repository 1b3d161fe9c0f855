const rows = [];

/** Remember one figure; `upstream` is text. */
export function figure(what, measured, upstream = '') {
  rows.push([what, measured, upstream]);
  process.stderr.write(`${what}: ${measured}\n`);
}

export function printTable() {
  const all = [['figure', 'coxswain', 'upstream'], ...rows];
  const widths = [0, 1, 2].map((i) => Math.max(...all.map((r) => r[i].length)));
  for (const row of all)
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('   ')
        .trimEnd(),
    );
}
