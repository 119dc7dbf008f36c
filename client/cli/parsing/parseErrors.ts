/** Words of a command line that commander cannot place, and what was probably meant by them. */
import { CommanderError } from "commander";
import { UsageError } from "../process/errors.ts";
import type { Command } from "./command.ts";

/**
 * Commander's refusal in our words; every other error as it is.
 *
 * @param argv the whole command line.
 * @param command the one that was called, once that is known.
 */
export function toUsageError(error: unknown, argv: readonly string[], command: Command | undefined): unknown {
  if (!(error instanceof CommanderError) || isSaidAlready(error)) return error;
  const text = error.message.replace(/^error: /, "").replace("\n", " ");
  if (error.code === "commander.excessArguments") return tooMany(text, argv, command);
  return new UsageError(error.code === "commander.unknownOption" ? `${text}${asOption(text, argv, command)}` : text);
}

/** Help and the version are printed by commander itself. */
const isSaidAlready = ({ code }: CommanderError) =>
  ["commander.help", "commander.helpDisplayed", "commander.version"].includes(code);

function asOption(text: string, argv: readonly string[], command: Command | undefined): string {
  const [, option = ""] = /^unknown option '(.*?)'(?: \(|$)/s.exec(text) ?? [];
  const isSlip = text.includes("Did you mean");
  if (/^[^=]*\s/.test(option) || (!isSlip && /^-[^-]/.test(option) && takesText(command))) {
    return ": put -- before a text that begins with a dash";
  }
  if (!usagesOf(command).includes("<command...>") || argv.includes("--")) return "";
  if (!isSlip) return ": put -- before the command";
  return followsCommand(option, argv, command) ? "; if it belongs to the command, put -- before that" : "";
}

/** Whether a word that is neither an option nor its value comes before: the other program's command begins there. */
function followsCommand(option: string, argv: readonly string[], command: Command | undefined): boolean {
  const own = argv.slice(argv.indexOf(command?.name ?? "") + 1, argv.indexOf(option));
  const takesValue = (word: string | undefined) =>
    [...usagesOf(command), ...GLOBAL_VALUES].some((usage) => usage.startsWith(`${word} <`));
  return own.some((word, i) => !word.startsWith("-") && !takesValue(own[i - 1]));
}

/** The options of every command that take a value. */
const GLOBAL_VALUES = ["--as <name>", "--url <url>"];

function tooMany(text: string, argv: readonly string[], command: Command | undefined): UsageError {
  const stray = strayValue(argv, command);
  if (stray !== undefined) return new UsageError(stray);
  return new UsageError(takesText(command) ? `${text.replace(/\.$/, "")}: put the text in quotes` : text);
}

function takesText(command: Command | undefined): boolean {
  const last = usagesOf(command)
    .filter((usage) => !usage.startsWith("-"))
    .at(-1);
  return TEXTS.includes(last ?? "");
}

/** Arguments that may be many words. */
const TEXTS = ["<text>", "[task]", "[result]", "[error]", "[reason]", "[note]"];

/** The word after an option whose value may be left out, where it was meant as that value. */
function strayValue(argv: readonly string[], command: Command | undefined): string | undefined {
  const own = argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
  for (const { usage, preset, choices = [] } of Object.values(command?.inputs ?? {})) {
    const option = usage.split(" ")[0] as string;
    const word = preset === undefined || !own.includes(option) ? undefined : own[own.indexOf(option) + 1];
    if (word === undefined || word.startsWith("-") || choices.includes(word)) continue;
    return `too many arguments: ${option} takes ${choices.join(", ")} or nothing, and not '${word}'`;
  }
  return undefined;
}

const usagesOf = (command: Command | undefined) => Object.values(command?.inputs ?? {}).map(({ usage }) => usage);
