/** The command `npm run bench`: measures the hub side by side with its peers, in one run on one machine. */
import { writeFileSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { Bench, FULL, QUICK, type Scale, type Section } from "./bench.ts";
import { Missing, requireProc } from "./os/missing.ts";
import { Workplace } from "./os/workplace.ts";
import { conditions } from "./report/conditions.ts";
import { formatSummary, formatTable } from "./report/print.ts";
import type { Table } from "./report/result.ts";
import { SECTIONS } from "./sections.ts";

interface Options {
  quick?: true;
  connections?: number;
  messages?: number;
  json?: string;
}

const help = SECTIONS.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join("\n");

const command = new Command("npm run bench --")
  .description("Measures the hub side by side with its peers: ratios count, absolute numbers are this machine's.")
  .argument("[section...]", "what to measure; left out: everything")
  .option("--quick", "shorter windows, one round: for a first look")
  .option("--connections <n>", "sockets of the idle section", wholeNumber)
  .option("--messages <n>", "messages in the log of the history section", wholeNumber)
  .option("--json <file>", "also write the numbers there")
  .addHelpText("after", `\nSections:\n${help}`)
  .action(run);

async function run(names: string[], options: Options): Promise<void> {
  requireProc();
  const sections = names.length === 0 ? SECTIONS : names.map(sectionOf);
  const { quick, json, ...chosen } = options;
  const scale: Scale = { ...(quick ? QUICK : FULL), ...chosen };
  const tables: Table[] = [];
  for (const section of sections) tables.push(...(await measure(section, scale)));
  const budgets = tables.flatMap(({ rows }) => rows.flatMap(({ budget }) => budget ?? []));
  if (budgets.length > 0) console.log(formatSummary(budgets));
  if (json) writeFileSync(json, `${JSON.stringify({ scale, tables, budgets }, null, 2)}\n`);
}

/** Runs one section in a workplace of its own, and shows what it found. */
async function measure(section: Section, scale: Scale): Promise<Table[]> {
  const workplace = new Workplace();
  const abandon = () => workplace.abandon();
  process.once("exit", abandon);
  try {
    const before = conditions(workplace.path);
    const tables = await section.run(new Bench(scale, workplace));
    for (const table of tables) table.notes.push(`before: ${before}`, `after: ${conditions(workplace.path)}`);
    for (const table of tables) console.log(formatTable(table));
    return tables;
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    console.log(`\n${section.name}: skipped: ${error.message}`);
    return [];
  } finally {
    await workplace.close();
    process.off("exit", abandon);
  }
}

function sectionOf(name: string): Section {
  const section = SECTIONS.find((known) => known.name === name);
  if (section) return section;
  return command.error(`unknown section: ${name}; there are ${SECTIONS.map((known) => known.name).join(", ")}`);
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError("must be a whole number above 0");
  return number;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));

await command.parseAsync();
