import { installAgents } from './installed-agents.ts';
import { runFleetUnderQuota } from './fleet-under-quota.ts';

/** `npm run bench -- agents-quota`: in a process of its own, from the sources, since it starts the program as people do. */
// Nine minutes full to the brim: how long 24 programs take to start on one machine is not the quota's.
const size = { programs: 24, workers: 2, files: 19, rpm: 60 };

const agents = await installAgents();
if (agents.kind === 'unreachable') throw new Error(`the agents cannot be installed: ${agents.reason}`);
const { requests, fullest, failed, filesRight, atOnce, wallMs, startMs, servedMs } = await runFleetUnderQuota(
  {
    ...size,
    agents: agents.folder,
  },
);
// The last window may be full at once: so many minutes have to pass before it. How long programs take to start and to be
// merged is the machine's: the quota is judged by the time between the first request and the last.
const leastMs = (Math.ceil(requests / size.rpm) - 1) * 60_000;
const seconds = (ms: number): string => (ms / 1000).toFixed(1);
const lines = [
  `${size.programs} agent programs (codex, and claude-code over ACP), ${requests} requests, a quota of ${size.rpm} a minute`,
  `agents that failed                        ${failed.length}`,
  ...failed.map((text) => `  ${text.slice(0, 300)}`),
  `files that are right                      ${filesRight} of ${size.programs * size.files}`,
  `agents at work at once, the most          ${atOnce}`,
  `the most in any minute, at the server     ${fullest}`,
  `time of the whole run                     ${seconds(wallMs)} s`,
  `of what the quota allows                  ${(wallMs / leastMs).toFixed(3)} (${leastMs / 1000} s)`,
  `until the first request                   ${seconds(startMs)} s`,
  `from the first request to the last        ${seconds(servedMs)} s`,
  `of what the quota allows                  ${(servedMs / leastMs).toFixed(3)}`,
  `from the last request to the end          ${seconds(wallMs - startMs - servedMs)} s`,
];
process.stdout.write(`${lines.join('\n')}\n`);
