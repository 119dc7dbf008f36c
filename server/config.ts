/**
 * The hub's configuration: one table gives environment variables, flags, help and types. Environment and
 * arguments are parameters; a typo is refused with the nearest name.
 */
import { Command, CommanderError, Option } from "commander";
import * as z from "zod";
import { BACKOFF_MAX_MS, DEFAULT_DB, DEFAULT_PORT, LEASES, LIVENESS, TASK_DEFAULTS } from "../shared/defaults.ts";
import { unknownVariable } from "../shared/environment.ts";
import { LIMITS } from "../shared/limits.ts";
import { parseDuration, parseSize } from "../shared/quantities.ts";
import { mustBe } from "../shared/validate.ts";
import { DEFAULT_RATES } from "./hub/caller/rates.ts";
import { LONGEST_MS } from "./hubOptions.ts";
import { isHostName } from "./transport/guard.ts";

/** `--lease-grace-ms` is `COORDINATION_LEASE_GRACE_MS` in the environment. */
interface Setting {
  flag: string;
  schema: z.ZodType;
  help: string;
  /** Another variable for it, or none at all. */
  variable?: "PORT" | "none";
}

/** Says `what` of a value that is not a number; where one is beyond a bound, zod names the bound. */
const number = (what = "must be a number") =>
  z.coerce.number({ error: ({ code }) => (code === "invalid_type" ? what : undefined) });

const port = number().int().min(0).max(65535);
const count = number().int().min(0);
const milliseconds = number("must be a number of milliseconds").max(LONGEST_MS).int();
const durationMs = milliseconds.min(0);

/** A quantity with its unit; undefined where none is given. */
const quantity = (parse: (text: string) => number | undefined, most: number, examples: string) =>
  z
    .string()
    .transform((text, context) => {
      const value = /[a-z]$/i.test(text) ? parse(text) : undefined; // a bare number's unit would be a guess
      if (value !== undefined && value > 0 && value <= most) return value;
      context.addIssue({ code: "custom", message: `must be ${examples}` });
      return z.NEVER;
    })
    .optional();

const keep = quantity(parseDuration, LONGEST_MS, "a duration with its unit, as 30d, 12h or 90m, up to 100 years");

const SETTINGS = {
  host: {
    flag: "--host <address>",
    schema: z.string().default("127.0.0.1"),
    help: "address to listen on",
  },
  port: {
    flag: "--port <number>",
    variable: "PORT",
    schema: port.default(DEFAULT_PORT),
    help: "port to listen on; 0: any free one",
  },
  db: {
    flag: "--db <file>",
    schema: z.string().default(DEFAULT_DB),
    help: "SQLite file",
  },
  open: {
    flag: "--open",
    schema: z.union([z.boolean(), z.stringbool()]).default(false),
    help: "let other machines in, without tokens: only on a network that you trust",
  },
  allowHost: {
    flag: "--allow-host <name...>",
    schema: z.preprocess(
      (v) => (typeof v === "string" ? v.split(/[\s,]+/).filter(Boolean) : v),
      z.array(z.string().refine(isHostName, "must be host names without scheme and port, as my-server")).default([]),
    ),
    help: "host name under which the hub may be addressed, beside localhost",
  },
  leaseGraceMs: {
    flag: "--lease-grace-ms <ms>",
    schema: durationMs.default(LEASES.grace_ms),
    help: "how long a task stays with a run whose last connection is gone",
  },
  detachedLeaseMs: {
    flag: "--detached-lease-ms <ms>",
    schema: durationMs.default(LEASES.detached_ms),
    help: "how long a claim without a run holds",
  },
  maxAttempts: {
    flag: "--max-attempts <number>",
    schema: number().int().min(1).max(LIMITS.attempts).default(TASK_DEFAULTS.max_attempts),
    help: "how often a task is tried whose sender does not say",
  },
  backoffMs: {
    flag: "--backoff-ms <ms>",
    schema: durationMs.default(TASK_DEFAULTS.backoff_ms),
    help: "how long it rests after its first failed try; doubles",
  },
  backoffMaxMs: {
    flag: "--backoff-max-ms <ms>",
    schema: durationMs.default(BACKOFF_MAX_MS),
    help: "the longest rest of a task between two tries",
  },
  pingMs: {
    flag: "--ping-ms <ms>",
    schema: milliseconds.min(1_000).default(LIVENESS.ping_ms),
    help: "how often the hub asks whether a connection is alive",
  },
  offlineAfterMs: {
    flag: "--offline-after-ms <ms>",
    schema: durationMs.default(LIVENESS.leave_ms),
    help: "how long an instance whose last connection broke counts as online",
  },
  rate: {
    flag: "--rate <number>",
    schema: count.default(DEFAULT_RATES.changes),
    help: "how many changes a minute an instance may ask for, from another machine; 0: any",
  },
  readRate: {
    flag: "--read-rate <number>",
    schema: count.default(DEFAULT_RATES.reads),
    help: "how many reads a minute an instance may ask for, from another machine; 0: any",
  },
  rateLocal: {
    flag: "--rate-local",
    schema: z.union([z.boolean(), z.stringbool()]).default(false),
    help: "hold instances on this machine to these rates, too",
  },
  pendingPerRecipient: {
    flag: "--pending-per-recipient <number>",
    schema: count.min(1).default(LIMITS.pending_per_recipient),
    help: "how many messages may wait for one recipient",
  },
  pendingPerSender: {
    flag: "--pending-per-sender <number>",
    schema: count.min(1).default(LIMITS.pending_per_sender),
    help: "how many messages of one sender may wait",
  },
  chainHops: {
    flag: "--chain-hops <number>",
    schema: count.min(1).default(LIMITS.chain_hops),
    help: "how many answers to answers an exchange may have until a person lets it go on",
  },
  keepComplete: {
    flag: "--keep-complete <duration>",
    schema: keep,
    help: "how long completed messages are kept, as 30d or 12h; default for ever",
  },
  keepFailed: {
    flag: "--keep-failed <duration>",
    schema: keep,
    help: "how long failed messages are kept; default for ever",
  },
  keepLog: {
    flag: "--keep-log <duration>",
    schema: keep,
    help: "how long a reader may stay away and still be told all that happened meanwhile; default for ever",
  },
  maxSize: {
    flag: "--max-size <size>",
    schema: quantity(parseSize, Number.MAX_SAFE_INTEGER, "a size with its unit, as 500mb or 2gb"),
    help: "size of the database beyond which what ended first goes first; default none",
  },
  logLevel: {
    flag: "--log-level <level>",
    schema: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
    help: "how much to log",
  },
  json: {
    flag: "--json",
    variable: "none",
    schema: z.boolean().default(false),
    help: "print where it listens and where the data is as a line of JSON",
  },
} as const satisfies Record<string, Setting>;

export type Config = { [K in keyof typeof SETTINGS]: z.output<(typeof SETTINGS)[K]["schema"]> };

/** Wrong configuration, or a request for help: a text to print and the code to exit with. */
export class ConfigExit extends Error {
  readonly exitCode: number;

  constructor(text: string, exitCode: number) {
    super(text);
    this.exitCode = exitCode;
  }
}

/**
 * Reads the configuration.
 *
 * @throws ConfigExit with what to tell the person.
 * @example readConfig(process.env, process.argv.slice(2)).port
 */
export function readConfig(env: Record<string, string | undefined>, argv: readonly string[]): Config {
  const unknown = unknownVariable(env);
  if (unknown !== undefined) throw new ConfigExit(unknown, 2);
  const flags = parseFlags(argv);
  const config = Object.entries(SETTINGS).map(([name, setting]) => {
    const variable = variablesOf(setting).find((candidate) => env[candidate]); // an empty one counts as not set
    const given = flags[name] ?? (variable === undefined ? undefined : env[variable]);
    return [name, check(setting, given)];
  });
  return Object.fromEntries(config) as Config;
}

const nameOf = ({ flag }: Setting) => flag.split(" ")[0] as string;

function variablesOf(setting: Setting): string[] {
  if (setting.variable === "none") return [];
  const own = nameOf(setting).replace("--", "COORDINATION_").replaceAll("-", "_").toUpperCase();
  return setting.variable === undefined ? [own] : [own, setting.variable];
}

function check(setting: Setting, given: unknown): unknown {
  if (typeof given === "string" && given.trim() === "") throw refused(setting, given, "must not be empty");
  const parsed = setting.schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0] as z.core.$ZodIssue;
  const isWorded = issue.code === "invalid_type" && issue.expected !== "int";
  throw refused(setting, given, isWorded ? issue.message : mustBe(issue, given));
}

const refused = (setting: Setting, given: unknown, why: string) =>
  new ConfigExit(`${nameOf(setting)} (${variablesOf(setting).join(", ")}): ${JSON.stringify(given)} ${why}`, 2);

function parseFlags(argv: readonly string[]): Record<string, unknown> {
  let printed = "";
  const write = (text: string) => {
    printed += text;
  };
  const command = new Command("coord hub").description("Runs the hub.").exitOverride();
  command.configureOutput({ writeOut: write, writeErr: write }).allowExcessArguments(false);
  const asksHelp = argv.includes("--help") || argv.includes("-h");
  for (const setting of Object.values<Setting>(SETTINGS)) {
    const { flag, help, schema } = setting;
    const variables = variablesOf(setting);
    const otherwise = schema.safeParse(undefined).data; // the one source of defaults is the schema
    const shown =
      otherwise === undefined || otherwise === false || String(otherwise) === "" ? "" : `; default ${otherwise}`;
    const option = new Option(flag, variables.length === 0 ? help : `${help} (${variables.join(", ")}${shown})`);
    command.addOption(option.hideHelp(flag === SETTINGS.open.flag && !asksHelp)); // what is hidden is not suggested
  }
  command.addHelpText("after", "\nWhat is no longer to be kept goes in passes that come about once a minute.");
  command.addHelpText("after", "\nExample:\n  coord hub --port 4000 --db data/team.db");
  try {
    return command.parse([...argv], { from: "user" }).opts();
  } catch (error) {
    const isHelp = error instanceof CommanderError && error.exitCode === 0;
    throw isHelp ? new ConfigExit(printed.trimEnd(), 0) : new ConfigExit(oneLine(printed), 2);
  }
}

const oneLine = (text: string) =>
  text
    .trim()
    .replace(/^error: /, "")
    .replace(/\s*\n\s*/g, " ");
