/**
 * Makes a database with a past, for the benchmark and for whoever wants a large one:
 * `node dist/test/bench/history/fillMain.js FILE MESSAGES [READERS]`.
 */
import { fill } from "./fill.ts";

const [file, messages = "10000000", readers = "0"] = process.argv.slice(2);
if (file === undefined) throw new Error("which file?");
fill(file, { messages: Number(messages), readers: Number(readers) }, (written) => {
  console.log(`${written} of ${messages} messages`);
});
