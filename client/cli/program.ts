/** From the table of commands to a command line: parsing, help, dispatch, and how it ends. */
import { Argument, Command as Commander, CommanderError, Option } from "commander";
import { didYouMean } from "../../shared/index.ts";
import { DEFAULT_URL, SDK_VERSION } from "../sdk/options.ts";
import { COMMANDS } from "./commands/table.ts";
import { Context } from "./context.ts";
import { errorReport } from "./output/errorReport.ts";
import { flushed } from "./output/flushed.ts";
import { Printer } from "./output/printer.ts";
import { written } from "./output/time.ts";
import type { Command } from "./parsing/command.ts";
import { type Input, type Inputs, isOption } from "./parsing/inputs.ts";
import { toUsageError } from "./parsing/parseErrors.ts";
import { Interrupted, OutputClosed, OutputFailed, UsageError } from "./process/errors.ts";
import { EXIT_CODES, exitCodeOf } from "./process/exitCodes.ts";
import type { Outside } from "./process/outside.ts";

/**
 * Carries out one command line.
 *
 * @returns the exit code.
 */
export async function main(outside: Outside): Promise<number> {
  const print = new Printer({ ...outside, json: ownWords(outside).includes("--json") });
  const code = await carryOut(outside, print);
  await flushed(outside.stdout);
  const { reason } = outside.interrupted;
  return code === EXIT_CODES.ok.code && reason instanceof OutputFailed ? ended(reason, print, undefined) : code;
}

async function carryOut(outside: Outside, print: Printer): Promise<number> {
  let code: number = EXIT_CODES.ok.code;
  let running: Command | undefined;
  const program = makeProgram(outside);
  for (const row of COMMANDS) {
    addCommand(program, row, async (values) => {
      if (row.isLocal) assertNoUrl(program, row);
      code = (await row.run(new Context(outside, print, settings(program, outside)), values)) ?? code;
    });
  }
  program.hook("preSubcommand", (_, subcommand) => {
    running = COMMANDS.find(({ name }) => name === subcommand.name());
  });
  try {
    assertHelpIsThere(ownWords(outside));
    await program.parseAsync(withPresets(program, outside), { from: "user" });
    return code;
  } catch (error) {
    return ended(toUsageError(error, outside.argv, running), print, running);
  }
}

/** @throws UsageError when a hub is named for a command that would not ask it. */
function assertNoUrl(program: Commander, { name }: Command): void {
  if (program.opts<{ url?: string }>().url === undefined) return;
  throw new UsageError(`${name} asks no hub, whatever its --url: leave that out, and see coord ${name} --help`);
}

/** @throws UsageError when help is asked for a command that there is not. */
function assertHelpIsThere([word, name]: readonly string[]): void {
  const names = COMMANDS.map((row) => row.name);
  if (word !== "help" || name === undefined || name.startsWith("-") || names.includes(name)) return;
  throw new UsageError(`unknown command '${name}'${didYouMean(name, names)}`);
}

/** What comes after `--` is a text, or belongs to another program. */
const ownWords = ({ argv }: Outside) => argv.slice(0, argv.includes("--") ? argv.indexOf("--") : argv.length);

/**
 * An option whose value may be left out takes the next word only where that is one of its choices: in
 * `send --wait bob hello` the next word is the recipient.
 */
function withPresets(program: Commander, outside: Outside): string[] {
  const own = ownWords(outside);
  const isValue = (i: number) => program.options.some(({ long, required }) => required && long === own[i - 1]);
  const called = own.find((word, i) => !isValue(i) && COMMANDS.some(({ name }) => name === word));
  const row = COMMANDS.find(({ name }) => name === called);
  const options = Object.values(row?.inputs ?? {}).filter(({ preset }) => preset !== undefined);
  const words = own.map((word, i) => {
    const option = options.find(({ usage }) => usage.split(" ")[0] === word);
    return option && !option.choices?.includes(own[i + 1] as string) ? `${word}=${option.preset}` : word;
  });
  return [...words, ...outside.argv.slice(own.length)];
}

/** What the options of every command say, or else the environment. */
function settings(program: Commander, { env }: Outside) {
  const { as, url } = program.opts<{ as?: string; url?: string }>();
  const called = as === undefined ? "CLAUDE_ID" : "--as";
  return { as: as ?? (env.CLAUDE_ID || undefined), called, url: url ?? (env.COORDINATION_API_URL || undefined) };
}

function makeProgram({ stdout, stderr }: Outside): Commander {
  return new Commander("coord")
    .description("Talk to a coordination hub: send and do tasks, chat, and see who is there.")
    .option("--as <name>", "Who is calling (CLAUDE_ID).")
    .option("--url <url>", `Where the hub is (COORDINATION_API_URL, else ${DEFAULT_URL}).`)
    .option("--json", "Print JSON: one document, or a line for each item of a stream; errors as JSON on stderr.")
    .version(SDK_VERSION, "-V, --version", "Print the version.")
    .helpOption("-h, --help", "Print help.")
    .helpCommand("help [command]", "Print the help of a command.")
    .addHelpText("after", `\nExit codes:\n${columns(Object.values(EXIT_CODES).map((row) => [row.code, row.meaning]))}`)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => stdout.columns || HELP_COLUMNS,
      getErrHelpWidth: () => stderr.columns || HELP_COLUMNS,
      outputError: () => {}, // told once, where all errors are
    })
    .exitOverride();
}

const HELP_COLUMNS = 100;

function addCommand(program: Commander, row: Command, run: (values: Record<string, unknown>) => Promise<void>): void {
  const { name, summary, about, inputs, examples, passesThrough = false } = row;
  const command = program
    .command(name)
    .summary(summary)
    .description(about === undefined ? summary : `${summary}\n${about}`)
    .addHelpText("after", notes(inputs))
    .addHelpText("after", `\nExamples:\n${columns(examples.map(([line, does]) => [`coord ${line}`, does]))}`)
    .action(async () => {
      await run(valuesOf(inputs, command));
      if (passesThrough && command.args.some((word) => word === "--help" || word === "-h")) printGlobalHelp(command);
    });
  for (const input of Object.values(inputs)) {
    if (isOption(input)) command.addOption(optionOf(input));
    else command.addArgument(argumentOf(input));
  }
  if (passesThrough) command.allowUnknownOption().helpOption(false);
}

/** Below the help of another program: the options that every command takes. */
function printGlobalHelp(command: Commander): void {
  const help = command.createHelp();
  const rows = help.visibleGlobalOptions(command).map((option) => [option.flags, option.description] as const);
  command.configureOutput().writeOut?.(`\nGlobal Options:\n${columns(rows)}\n`);
}

/** How values are written that look like nothing else. */
function notes(inputs: Inputs): string {
  const usages = Object.values(inputs).map(({ usage }) => usage);
  const fitting = NOTES.filter(([value]) => usages.some((usage) => usage.includes(value)));
  return fitting.map(([value, note]) => `\n${value}: ${note}`).join("");
}

const NOTES = [
  ["<duration>", "seconds, or 500ms, 10m, 2h, 1d."],
  ["<time>", "2026-01-31T12:00:00Z, or a duration from now."],
  ["<ids...>", "one or more, with spaces between them, at the end of the line."],
] as const;

function argumentOf({ usage, help, choices }: Input): Argument {
  const argument = new Argument(usage, help);
  return choices ? argument.choices(choices) : argument;
}

function optionOf({ usage, help, choices, parse }: Input): Option {
  const option = new Option(usage, help);
  if (choices) option.choices(choices);
  if (parse) option.argParser(parse);
  return option;
}

/** What was given, by the names of the inputs. */
function valuesOf(inputs: Inputs, command: Commander): Record<string, unknown> {
  const options = command.opts();
  const positional = [...command.processedArgs];
  const values = Object.entries(inputs).map(([name, input]) => [
    name,
    isOption(input) ? options[optionOf(input).attributeName()] : positional.shift(),
  ]);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

function ended(error: unknown, print: Printer, command: Command | undefined): number {
  if (error instanceof OutputClosed || error instanceof Interrupted) return exitCodeOf(error); // nobody has to be told
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? EXIT_CODES.ok.code : EXIT_CODES.usage.code;
  }
  const told = asUsage(error, command);
  print.error(errorReport(told));
  if (told instanceof UsageError) print.aside(`see \`coord${command ? ` ${command.name}` : ""} --help\``);
  return exitCodeOf(told);
}

/** What the operations table says of a wrong command line, in the words of the command line. */
function asUsage(error: unknown, command: Command | undefined): unknown {
  if (!(error instanceof UsageError) || error.field === undefined) return error;
  const { field, message } = error;
  const name = field.split(".").at(-1) as string;
  const input = command?.inputs[name];
  const said = message.replace(field, wordFor(field, name, input));
  if (name.endsWith("_ms")) return new UsageError(said.replace(/\d+$/, (ms) => written(Number(ms))));
  return new UsageError(input?.usage.endsWith("<time>") ? `${said}, or a duration from now: 8h` : said);
}

/** How the command line calls an operation's field; one that it does not know keeps its name. */
function wordFor(field: string, name: string, input: Input | undefined): string {
  if (input) return (input.usage.split(" ")[0] as string).replace(/^\[(.+)\]$/, "<$1>");
  return CALLER_FIELDS.has(name) ? "--as" : field;
}

const CALLER_FIELDS = new Set(["from_claude", "claude_id"]);

function columns(rows: readonly (readonly [string | number, string])[]): string {
  const width = Math.max(...rows.map(([first]) => `${first}`.length));
  return rows.map(([first, second]) => `  ${`${first}`.padEnd(width)}  ${second}`).join("\n");
}
