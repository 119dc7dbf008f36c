/** What a helper opened is closed again without a word in the test: newest first, even when the test fails. */
import { onTestFinished } from "vitest";

type Close = () => unknown;

const untilEndOfFile: Close[] = [];

/** Runs `close` at the end of the test that calls this; outside a test, as in `beforeAll`, at the end of its file. */
export function defer(close: Close): void {
  const closed = async () => void (await close());
  try {
    onTestFinished(closed);
  } catch {
    untilEndOfFile.push(closed);
  }
}

/** The file is over. */
export async function closeAll(): Promise<void> {
  for (const close of untilEndOfFile.splice(0).reverse()) await close();
}
