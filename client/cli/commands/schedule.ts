import { LIMITS, type Schedule } from "../../../shared/index.ts";
import { pages } from "../../sdk/calls/pages.ts";
import type { Params } from "../../sdk/index.ts";
import { check } from "../connection/rest.ts";
import type { Context } from "../context.ts";
import { schedulePage, scheduleTable } from "../output/schedule.ts";
import { type Actions, runAction } from "../parsing/actions.ts";
import { command } from "../parsing/command.ts";
import { duration, field, fields, flag, type Input, sentField, text, type Values } from "../parsing/inputs.ts";

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
  expires_after_ms: duration("--expires-after <duration>", "Fails as expired when nobody has claimed it by then."),
} as const;

type Given = Omit<Values<typeof inputs>, "action">;

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
  run: (context, given) => runAction(ACTIONS, inputs, context, given),
});

const ACTIONS: Actions<Given> = {
  list: { needs: [], run: list },
  show: {
    needs: ["name"],
    run: async (context, { name }) => {
      context.print.result(await context.call("schedule_get", { name }), schedulePage);
    },
  },
  put: {
    needs: ["name"],
    takes: Object.keys(inputs),
    run: async (context, given) => {
      context.print.result(await context.call("schedule_put", await spoken(context, given)), schedulePage);
    },
  },
  pause: { needs: ["name"], run: (context, { name }) => enable(context, name, false) },
  resume: { needs: ["name"], run: (context, { name }) => enable(context, name, true) },
  delete: {
    needs: ["name"],
    run: async (context, { name }) => {
      const deleted = await context.call("schedule_delete", { name });
      context.print.confirmation(deleted, (gone) => `${gone.name} is deleted`);
    },
  },
};

async function list(context: Context): Promise<void> {
  const schedules = await all(context);
  context.print.result({ schedules, count: schedules.length }, (told, layout) =>
    told.count === 0 ? "there are no schedules" : scheduleTable(told.schedules, layout),
  );
}

async function all(context: Context): Promise<Schedule[]> {
  const found: Schedule[] = [];
  for await (const { schedules } of pages(context, "schedule_list", { limit: LIMITS.list_messages }))
    found.push(...schedules);
  return found;
}

async function enable(context: Context, name: string, enabled: boolean): Promise<void> {
  const { cron, timezone, missed, overlap, message } = await context.call("schedule_get", { name });
  const put = await context.call("schedule_put", { name, cron, timezone, missed, overlap, enabled, message });
  context.print.result(put, schedulePage);
}

/** `check` finds what is missing in it: the type does not. */
type Message = Omit<Params<"schedule_put">["message"], "expires_after_ms">;

/** What the command line gave, as the operation takes it. */
async function spoken(context: Context, given: Given): Promise<Params<"schedule_put">> {
  const { name, cron, timezone, missed, overlap, paused = false, expires_after_ms, ...said } = given;
  const message = { from_claude: context.me, ...said, task: await context.text(said.task) } as Message;
  check("send", message);
  const params = { name, cron, timezone, missed, overlap, enabled: !paused };
  return { ...params, message: { ...message, expires_after_ms } };
}
