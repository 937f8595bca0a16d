import { readdir, readFile } from "node:fs/promises";

/** The ids of the processes that have a text in their arguments or environment. */
export async function processesThatName(text: string): Promise<string[]> {
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const named = processes.map(async (id) => {
    // A process may be gone by now, and a stranger's environment is not ours to read.
    const files = ["cmdline", "environ"].map((file) => readFile(`/proc/${id}/${file}`, "utf8").catch(() => ""));
    return (await Promise.all(files)).some((content) => content.includes(text)) ? [id] : [];
  });
  return (await Promise.all(named)).flat();
}
