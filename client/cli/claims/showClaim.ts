/** What `claim` and `next` have in common. */
import type { Message } from "../../sdk/index.ts";
import type { Context } from "../context.ts";
import { messagePage } from "../output/message.ts";

/** Shows the task, in whose name it was claimed where the caller gave none, and how to go on. */
export function showClaim({ print, as }: Context, task: Message): void {
  print.result(task, messagePage);
  if (as === undefined) print.aside(`claimed as ${task.claimed_by}: say --as NAME to claim in another's name`);
  print.aside(`when it is done: coord complete ${task.id} RESULT`);
}
