/** What the demo ends with. */
import type { Layout } from "../output/printer.ts";
import { table } from "../output/table.ts";
import type { AccidentReport } from "./accident.ts";
import type { Job } from "./jobs.ts";

export interface DemoReport {
  readonly folder: string;
  readonly files: readonly Omit<Job, "id">[];
  readonly workers: readonly { readonly name: string; readonly done: number }[];
  readonly accident: AccidentReport | undefined;
}

export function showReport({ files, workers, accident }: DemoReport, layout: Layout): string {
  const { paint } = layout;
  const found = files.map(({ file, found, error, by = "", attempt }) => [
    `${found?.lines ?? "-"}`,
    found?.sha256.slice(0, 16) ?? paint.red(error ?? ""),
    by,
    attempt === 1 ? "1st" : paint.yellow(attempt === 2 ? "2nd" : `${attempt}th`),
    file,
  ]);
  const crew = workers.map(({ name, done }) => [name, `${done}`, name === accident?.killed ? paint.red("killed") : ""]);
  return [
    "",
    table(["LINES", "SHA-256…", "BY", "TRY", "FILE"], found, layout),
    "",
    table(["WORKER", "FILES", ""], crew, layout),
    "",
    paint.green(verdict(files.length, accident)),
  ].join("\n");
}

function verdict(files: number, accident: AccidentReport | undefined): string {
  const whole = `${files} files, each with exactly one result.`;
  if (!accident) return `${whole} The kill came too late to interrupt a task.`;
  const { file, killed, ended_by, ended_attempt } = accident;
  return `${whole} ${file}, which ${killed} took with it, was done by ${ended_by} at attempt ${ended_attempt}.`;
}
