/** Writes tables for a person to read. */
import Table3 from "cli-table3";
import colors from "picocolors";
import { type Budget, isMet, type Row, type Table } from "./result.ts";

const RIGHT = ["right"] as const;

export function formatTable({ title, columns, rows, notes }: Table): string {
  const ratios = rows.some(({ ratio }) => ratio !== undefined);
  const grid = new Table3({
    head: ["system", "durability", ...columns, ...(ratios ? ["hub ÷ it"] : []), "budget", "met"],
    colAligns: ["left", "left", ...columns.map(() => "right" as const), ...(ratios ? RIGHT : []), "right", "left"],
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) grid.push(cells(row, ratios));
  return [`\n${colors.bold(title)}`, grid.toString(), ...notes.map((note) => `  ${note}`)].join("\n");
}

/** One line a budget, for the end. */
export function formatSummary(budgets: Budget[]): string {
  const grid = new Table3({
    head: ["budget", "measured", "limit", "met", "aim"],
    colAligns: ["left", "right", "right", "left", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const budget of budgets) {
    const { what, measured, aim, unit } = budget;
    grid.push([what, `${formatNumber(measured)} ${unit}`, bound(budget), verdict(budget), aim ? `${aim} ${unit}` : ""]);
  }
  return [`\n${colors.bold("Budgets")}`, grid.toString()].join("\n");
}

/** Three significant digits; thousands are set apart. */
export function formatNumber(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "–";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return Number(value.toPrecision(3)).toString();
}

function cells({ system, durability, values, ratio, budget }: Row, ratios: boolean): string[] {
  return [
    system,
    durability,
    ...values.map(formatNumber),
    ...(ratios ? [ratio === undefined ? "" : `${formatNumber(ratio)} ×`] : []),
    budget ? bound(budget) : "",
    budget ? verdict(budget) : "",
  ];
}

const bound = ({ sense, limit, unit }: Budget) => `${sense === "at least" ? "≥" : "≤"} ${formatNumber(limit)} ${unit}`;
const verdict = (budget: Budget) => (isMet(budget) ? colors.green("yes") : colors.red("NO"));
