import type { Command } from "../parsing/command.ts";
import { attempts } from "./attempts.ts";
import { backup } from "./backup.ts";
import { cancel } from "./cancel.ts";
import { chat } from "./chat.ts";
import { claim } from "./claim.ts";
import { complete } from "./complete.ts";
import { dead } from "./dead.ts";
import { deleteMessages } from "./delete.ts";
import { demo } from "./demo.ts";
import { exportMessages } from "./export.ts";
import { extend } from "./extend.ts";
import { fail } from "./fail.ts";
import { get } from "./get.ts";
import { heartbeat } from "./heartbeat.ts";
import { hub } from "./hub.ts";
import { inbox } from "./inbox.ts";
import { lift } from "./lift.ts";
import { list } from "./list.ts";
import { next } from "./next.ts";
import { progress } from "./progress.ts";
import { receipts } from "./receipts.ts";
import { release } from "./release.ts";
import { retry } from "./retry.ts";
import { schedule } from "./schedule.ts";
import { seen } from "./seen.ts";
import { send } from "./send.ts";
import { stats } from "./stats.ts";
import { template } from "./template.ts";
import { wait } from "./wait.ts";
import { watch } from "./watch.ts";
import { who } from "./who.ts";
import { work } from "./work.ts";

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  hub,
  send,
  chat,
  inbox,
  list,
  get,
  claim,
  next,
  complete,
  fail,
  release,
  extend,
  progress,
  cancel,
  retry,
  dead,
  attempts,
  seen,
  receipts,
  lift,
  deleteMessages,
  watch,
  wait,
  work,
  who,
  stats,
  heartbeat,
  schedule,
  template,
  backup,
  exportMessages,
  demo,
];
