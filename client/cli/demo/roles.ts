/** Who sends the tasks. */
export const COORDINATOR = "coordinator";
/** What every worker can do. */
export const ROLE = "indexers";
/** Whom the tasks are for: any one worker that has the role. */
export const POOL = `@${ROLE}`;
/** How long a file takes at least, so that there is something to see. */
export const PACE_MS = 150;
/** How long the hub keeps a task for a run that is gone; 30 s where nobody is watching. */
export const GRACE_MS = 1_500;
