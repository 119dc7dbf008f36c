import type { Command } from "../command.ts";
import { backup } from "./backup.ts";
import { chat } from "./chat.ts";
import { claim } from "./claim.ts";
import { complete } from "./complete.ts";
import { deleteMessages } from "./delete.ts";
import { demo } from "./demo.ts";
import { fail } from "./fail.ts";
import { get } from "./get.ts";
import { heartbeat } from "./heartbeat.ts";
import { hub } from "./hub.ts";
import { inbox } from "./inbox.ts";
import { list } from "./list.ts";
import { next } from "./next.ts";
import { release } from "./release.ts";
import { send } from "./send.ts";
import { stats } from "./stats.ts";
import { template } from "./template.ts";
import { wait } from "./wait.ts";
import { watch } from "./watch.ts";
import { who } from "./who.ts";

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
  deleteMessages,
  watch,
  wait,
  who,
  stats,
  heartbeat,
  template,
  backup,
  demo,
];
