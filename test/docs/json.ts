/** JSON as the repository's formatter writes it: lists of plain values on one line where they fit. */
const LINE_WIDTH = 120;

export const prettyJson = (value: unknown): string => `${print(value, "", 0)}\n`;

/** @param taken how many characters its line holds besides the value and the indentation. */
function print(value: unknown, indent: string, taken: number): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const deeper = `${indent}  `;
  const block = ([open, close]: string, lines: string[]) =>
    lines.length === 0
      ? `${open}${close}`
      : `${open}\n${lines.map((line) => deeper + line).join(",\n")}\n${indent}${close}`;
  if (!Array.isArray(value)) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    const line = ([key, inner]: [string, unknown], i: number) => {
      const name = `${JSON.stringify(key)}: `;
      return name + print(inner, deeper, name.length + Number(i < entries.length - 1));
    };
    return block("{}", entries.map(line));
  }
  const oneLine = `[${value.map((inner) => JSON.stringify(inner)).join(", ")}]`;
  const plain = value.every((inner) => typeof inner !== "object" || inner === null);
  if (plain && indent.length + taken + oneLine.length <= LINE_WIDTH) return oneLine;
  return block(
    "[]",
    value.map((inner, i) => print(inner, deeper, Number(i < value.length - 1))),
  );
}
