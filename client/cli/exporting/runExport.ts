/** From pages to lines: writes what is wanted, shows how far it is, and says where to go on when it was cut short. */
import type { Event, Message } from "../../sdk/index.ts";
import type { Context } from "../context.ts";
import { amount } from "../output/amount.ts";
import { Interrupted } from "../process/errors.ts";
import type { ExportPage } from "./pages.ts";
import { openProgress } from "./progress.ts";
import { openSink } from "./sink.ts";

interface ExportJob {
  readonly pages: AsyncIterable<ExportPage>;
  readonly isWanted: (item: Message | Event) => boolean;
  /** The file; undefined: stdout. */
  readonly out: string | undefined;
  /** What the lines are, for people. */
  readonly what: string;
}

/** @returns how many lines were written. */
export async function runExport(context: Context, { pages, isWanted, out, what }: ExportJob): Promise<number> {
  const sink = await openSink(context, out);
  const progress = openProgress(context, { out, what });
  let count = 0;
  let mark: string | undefined;
  try {
    for await (const { items, next, done, total } of pages) {
      const wanted = items.filter(isWanted);
      await sink.write(wanted.map((item) => `${JSON.stringify(item)}\n`).join(""));
      count += wanted.length;
      mark = next;
      progress.reach(done, total);
    }
    await sink.finish();
  } catch (error) {
    progress.end();
    if (mark === undefined) await sink.discard();
    else tellMark(context, `written whole: ${amount(count, what)}; the rest: --next ${mark}`);
    context.interrupted.throwIfAborted();
    throw error;
  } finally {
    progress.end();
    await sink.close();
  }
  return count;
}

/** No mark where our output was closed or cannot be written: how much of it arrived is not known. */
function tellMark({ interrupted, print }: Context, note: string): void {
  if (!interrupted.aborted || interrupted.reason instanceof Interrupted) print.notice(note);
}
