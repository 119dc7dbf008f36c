/**
 * Makes sure that no command outlives us, however we end: a small shell, in a group of its own, reads which groups are
 * running, and waits for the end of its input. When we are killed the kernel closes that pipe, and the shell ends the
 * groups and removes the folder, long before the leases have run out and others begin anew.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

const SCRIPT = `
groups=" "
while read -r what group; do
  case $what in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
signal_all() { for group in $groups; do kill -s "$1" -- "-$group" 2>/dev/null; done; }
if [ -n "\${groups# }" ]; then
  signal_all TERM
  sleep "$1"
  signal_all KILL
fi
rm -rf -- "$2"
`;

export class OrphanGuard {
  readonly #shell: ChildProcess | undefined;
  readonly #ended: Promise<unknown>;

  /**
   * @param killAfterMs how long after SIGTERM to kill what is left.
   * @param folder what to remove at the end.
   */
  constructor(killAfterMs: number, folder: string) {
    const isPosix = process.platform !== "win32";
    const args = ["-c", SCRIPT, "coord-work", `${killAfterMs / 1_000}`, folder];
    this.#shell = isPosix ? spawn("/bin/sh", args, { detached: true, stdio: ["pipe", "ignore", "ignore"] }) : undefined;
    this.#ended = this.#shell ? once(this.#shell, "close").catch(() => {}) : Promise.resolve();
    this.#shell?.stdin?.on("error", () => {}); // it is a second safety net: work goes on without it
  }

  add(group: number): void {
    this.#shell?.stdin?.write(`+ ${group}\n`);
  }

  remove(group: number): void {
    this.#shell?.stdin?.write(`- ${group}\n`);
  }

  /** @returns when it has ended. */
  async close(): Promise<void> {
    this.#shell?.stdin?.end();
    await this.#ended;
  }
}
