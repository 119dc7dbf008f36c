/**
 * A hub, a coordinator and workers, each in a process of its own, index the files of a folder: a file is a task, its line
 * count and SHA-256 the result. In the middle one worker is killed, and its task is seen to come back.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { connect, type Hub } from "../../sdk/index.ts";
import type { Context } from "../context.ts";
import { Failed, UsageError } from "../errors.ts";
import { Accident } from "./accident.ts";
import { Crew } from "./crew.ts";
import { filesOf } from "./folder.ts";
import { hasEnded, Jobs } from "./jobs.ts";
import { type OwnHub, startHub } from "./ownHub.ts";
import type { DemoReport } from "./report.ts";
import { COORDINATOR, CREW, PACE_MS } from "./roles.ts";
import { openScreen, type Screen } from "./screen.ts";

export interface DemoOptions {
  readonly folder: string;
  readonly agents: number;
  /** At most so many files. */
  readonly most: number;
}

/** @throws UsageError when the folder holds no files; Failed when not every file has exactly one result. */
export async function runDemo(context: Context, options: DemoOptions): Promise<DemoReport> {
  const folder = resolve(options.folder);
  const files = filesOf(folder, options.most);
  if (files.length === 0) throw new UsageError(`there are no files in ${folder}`);
  const data = mkdtempSync(join(tmpdir(), "coord-demo-"));
  const screen = openScreen(context.print, context.outside.stdout);
  const own = await context.within(startHub(join(data, "demo.db"), context.outside)).catch
}
