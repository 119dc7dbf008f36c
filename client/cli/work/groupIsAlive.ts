import { readdir, readFile } from "node:fs/promises";

/**
 * Whether anything of a process group still runs. In a container whose first process does not reap, the dead stay as
 * zombies that signals count as alive; where the system lists its processes they are told apart.
 */
export async function groupIsAlive(group: number): Promise<boolean> {
  if (!isThere(group)) return false;
  if (process.platform !== "linux") return true;
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const running = await Promise.all(processes.map((id) => runsIn(id, group)));
  return running.includes(true);
}

function isThere(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** After the name, which may hold anything, `stat` gives the state, the parent and the group. */
async function runsIn(id: string, group: number): Promise<boolean> {
  const stat = await readFile(`/proc/${id}/stat`, "latin1").catch(() => "");
  const [state, , of] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return of === `${group}` && state !== "Z" && state !== "X";
}
