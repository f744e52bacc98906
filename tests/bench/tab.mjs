// What a browser's tabs cost their machine, as the kernel counts it.
import { readdir, readFile } from "node:fs/promises";

/** Milliseconds in a tick of the kernel's clock for processes: 100 a second on every Linux that Chromium runs on. */
const TICK_MS = 10;
const KIB = 1024;

async function processes() {
  const found = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    try {
      const [stat, status, command] = await Promise.all(
        ["stat", "status", "cmdline"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8")),
      );
      // The name in the second field may hold anything.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const resident = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * KIB;
      found.push({
        pid: Number(pid), parent: Number(fields[1]), ms: (Number(fields[11]) + Number(fields[12])) * TICK_MS, resident, command,
      });
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

/** Processor time of all tabs of the browser with this profile since it started, milliseconds; and memory of the largest, bytes. */
export async function tabs(profile) {
  const all = await processes();
  const browsers = all.filter(({ command }) => command.includes(profile));
  const family = new Set(browsers.map(({ pid }) => pid));
  for (let grown = true; grown;) {
    const more = all.filter(({ pid, parent }) => family.has(parent) && !family.has(pid));
    for (const { pid } of more) family.add(pid);
    grown = more.length > 0;
  }
  const own = all.filter(({ pid, command }) => family.has(pid) && command.includes("--type=renderer"));
  return {
    ms: own.reduce((sum, { ms }) => sum + ms, 0),
    bytes: Math.max(0, ...own.map(({ resident }) => resident)),
  };
}
