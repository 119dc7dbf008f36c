/** The code of the original API's document, cut out of an unchanged copy of it. */
import { readFileSync } from "node:fs";

export const DOCUMENT = readFileSync(new URL("./coordination-api.md", import.meta.url), "utf8");

/** The first TypeScript block after these lines, looked for one after the other. */
function code(...lines: string[]): string {
  let at = 0;
  for (const line of lines) {
    at = DOCUMENT.indexOf(`\n${line}`, at);
    if (at < 0) throw new Error(`the document has no line that begins with ${line}`);
  }
  const [, block] = /\n```typescript\n(.*?)```/s.exec(DOCUMENT.slice(at)) as RegExpExecArray;
  return block as string;
}

export const EXAMPLES = {
  quickStartSender: code("### For Windows Claude (Sending Tasks)"),
  quickStartWorker: code("### For Server Claude (Processing Tasks)"),
  dispatch: code("### Example 1", "**Windows Claude:**"),
  process: code("### Example 1", "**Server Claude:**"),
  heartbeat: code("### Example 2"),
  batch: code("### Example 3"),
  retry: code("### Retry Logic"),
};
