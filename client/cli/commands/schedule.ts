import type { Schedule } from "../../../shared/index.ts";
import type { Params } from "../../sdk/index.ts";
import type { Context } from "../context.ts";
import { schedulePage, scheduleTable } from "../output/schedule.ts";
import { actionOf, assertTakes } from "../parsing/actions.ts";
import { command } from "../parsing/command.ts";
import { duration, field, fields, flag, type Input, sentField, text, type Values } from "../parsing/inputs.ts";
import { UsageError } from "../process/errors.ts";
import { check } from "../rest.ts";

const PAGE = 500;

const inputs = {
  action: text("[action]", "list (the default), show, put, pause, resume or delete."),
  name: field("schedule_get", "name", "[name]"),
  task: sentField("task", "[task]", " - reads it from stdin.") as Input<string | undefined>,
  cron: field("schedule_put", "cron", "--cron <expression>"),
  timezone: field("schedule_put", "timezone", "--tz <zone>"),
  to_claude: sentField("to_claude", "--to <name>") as Input<string | undefined>,
  ...fields("schedule_put", "missed", "overlap"),
  paused: flag("--paused", "Keep it, but send nothing until it is resumed."),
  ...fields("send", "context", "type", "priority", "thread_id", "timeout_ms", "max_attempts", "backoff_ms"),
  expires_after_ms: duration("--expires-after <duration>", "Fails as expired when nobody has claimed it so soon."),
} as const;

type Given = Values<typeof inputs>;

export const schedule = command({
  name: "schedule",
  summary: "Send a message again and again, at the times of a cron expression.",
  about:
    "`put`, which alone takes options, takes the place of a schedule of that name, as a whole; it prints when the schedule is due next.",
  inputs,
  examples: [
    ['schedule put nightly --cron "0 3 * * *" --tz Europe/Berlin --to ada "run the backup" --as ops', "every night"],
    ['schedule put tick --cron "*/10 * * * *" --to bob "look around" --missed skip --as ops', "every ten minutes"],
    ["schedule", "all of them"],
    ["schedule show nightly", "one, and its next times"],
    ["schedule pause nightly", "until `coord schedule resume nightly`"],
    ["schedule delete nightly", "what it has sent stays"],
  ],
  async run(context, { action = "list", ...given }) {
    const act = ACTIONS[actionOf(ACTIONS, action)];
    assertTakes(action, act.takes, inputs, given);
    await act.run(context, given);
  },
});

interface Action {
  /** Of the inputs. */
  readonly takes: readonly string[];
  readonly run: (context: Context, given: Omit<Given, "action">) => Promise<void>;
}

const ACTIONS = {
  list: { takes: [], run: list },
  show: {
    takes: ["name"],
    run: async (context, given) => {
      context.print.result(await context.call("schedule_get", { name: nameOf(given) }), schedulePage);
    },
  },
  put: {
    takes: Object.keys(inputs),
    run: async (context, given) => {
      context.print.result(await context.call("schedule_put", await spoken(context, given)), schedulePage);
    },
  },
  pause: { takes: ["name"], run: (context, given) => enable(context, nameOf(given), false) },
  resume: { takes: ["name"], run: (context, given) => enable(context, nameOf(given), true) },
  delete: {
    takes: ["name"],
    run: async (context, given) => {
      const deleted = await context.call("schedule_delete", { name: nameOf(given) });
      context.print.confirmation(deleted, ({ name }) => `${name} is deleted`);
    },
  },
} as const satisfies Record<string, Action>;

async function list(context: Context): Promise<void> {
  const schedules = await all(context);
  context.print.result({ schedules, count: schedules.length }, (told, look) =>
    told.count === 0 ? "there are no schedules" : scheduleTable(told.schedules, look),
  );
}

async function all(context: Context): Promise<Schedule[]> {
  const found: Schedule[] = [];
  let next: string | undefined;
  do {
    const page = await context.call("schedule_list", { limit: PAGE, ...(next !== undefined && { next }) });
    found.push(...page.schedules);
    next = page.next;
  } while (next !== undefined);
  return found;
}

async function enable(context: Context, name: string, enabled: boolean): Promise<void> {
  const { cron, timezone, missed, overlap, message } = await context.call("schedule_get", { name });
  const put = await context.call("schedule_put", { name, cron, timezone, missed, overlap, enabled, message });
  context.print.result(put, schedulePage);
}

/** Whole once it is checked. */
type Message = Omit<Params<"schedule_put">["message"], "expires_after_ms">;

/** What was said on the command line as the operation takes it. */
async function spoken(context: Context, given: Omit<Given, "action">): Promise<Params<"schedule_put">> {
  const { name: _, cron, timezone, missed, overlap, paused = false, expires_after_ms, ...said } = given;
  const message = { from_claude: context.me, ...said, task: await context.text(said.task) } as Message;
  check("send", message);
  const params = { name: nameOf(given), cron, timezone, missed, overlap, enabled: !paused };
  return { ...params, message: { ...message, expires_after_ms } };
}

function nameOf({ name }: { name: string | undefined }): string {
  if (name !== undefined) return name;
  throw new UsageError("which schedule? say its name");
}
