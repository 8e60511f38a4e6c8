/** When the merged result is verified. */
export type VerifyWhen = 'each' | 'batch';

/** Tasks of one group; `taskCount` cuts the last group short. */
const groupSize = 6;

interface TaskText {
  readonly id: string;
  readonly workspace: string;
  readonly dependsOn: readonly string[];
  readonly run: string;
  readonly accept: string;
  readonly review?: string | undefined;
}

/**
 * A plan of cheap command tasks in groups of six: a diamond (root, left, right, join), then two that append to one
 * log, so that work done twice shows in its content. The left of each group is rejected by the security review in
 * its first round; every second group depends on the one before it. Each task works for so many seconds.
 */
export function chaosPlan(taskCount: number, when: VerifyWhen, workSeconds = leastWorkSeconds): string {
  const tasks = Array.from({ length: Math.ceil(taskCount / groupSize) }, (_, index) => groupOf(index)).flat();
  const verify = 'for log in out/*/log.txt; do [ -z \\"$(sort $log | uniq -d)\\" ] || exit 1; done';
  return [
    'version: 1',
    `name: chaos-${when}`,
    'limits: { workers: 4 }',
    'defaults: { timeoutMinutes: 5, review: { mode: never }, onFailure: fail-run }',
    `verify: { run: ["${verify}"], when: ${when} }`,
    'tasks:',
    ...tasks.slice(0, taskCount).map((task) => textOf(task, workSeconds)),
    '',
  ].join('\n');
}

function groupOf(index: number): TaskText[] {
  const group = `g${index}`;
  const at = `out/${group}`;
  const id = (name: string): string => `${group}-${name}`;
  const write = (name: string, content: string): Pick<TaskText, 'workspace' | 'run' | 'accept'> => ({
    workspace: `${at}/${name}`,
    run: `mkdir -p ${at} && ${content} > ${at}/${name}`,
    accept: `test -s ${at}/${name}`,
  });
  const append = (name: string): Pick<TaskText, 'workspace' | 'run' | 'accept'> => ({
    workspace: `${at}/log.txt`,
    run: `echo ${id(name)} >> ${at}/log.txt`,
    accept: `[ $(grep -c '^${id(name)}$' ${at}/log.txt) = 1 ]`,
  });
  const before = index % 2 === 1 ? [`g${index - 1}-root`] : [];
  return [
    { id: id('root'), dependsOn: before, ...write('root.txt', `echo ${group}`) },
    { id: id('left'), dependsOn: [id('root')], ...rejectedOnce(at), review: 'security' },
    { id: id('right'), dependsOn: [id('root')], ...write('right.txt', `tr a-z A-Z < ${at}/root.txt`) },
    {
      id: id('join'),
      dependsOn: [id('left'), id('right')],
      ...write('join.txt', `cat ${at}/left.mjs ${at}/right.txt`),
      review: 'style',
    },
    { id: id('first'), dependsOn: [id('join')], ...append('first') },
    { id: id('second'), dependsOn: [id('first')], ...append('second') },
  ];
}

/** Runs text as code until a finding tells it not to. */
function rejectedOnce(at: string): Pick<TaskText, 'workspace' | 'run' | 'accept'> {
  const file = `${at}/left.mjs`;
  const bad = 'export const read = (text) => eval(text);';
  const good = 'export const read = (text) => JSON.parse(text);';
  const choose = `if grep -q '[a-z]' "$SWITCHYARD_FEEDBACK"; then echo '${good}'; else echo '${bad}'; fi`;
  return {
    workspace: file,
    run: `mkdir -p ${at} && { ${choose}; } > ${file}`,
    accept: `grep -q export ${file}`,
  };
}

const leastWorkSeconds = 0.3;

/**
 * How long a task has to work so that the first fault strikes while the run goes on: it comes after five to seven times
 * the readiness (milliseconds), and six tasks of a group and more stand one behind the other.
 */
export function workSecondsFor(readyMs: number): number {
  return Math.max(leastWorkSeconds, Number((readyMs / 1000).toFixed(1)));
}

function textOf(task: TaskText, workSeconds: number): string {
  const { id, workspace, dependsOn, run, accept, review } = task;
  return [
    `  - id: ${id}`,
    `    instructions: ${id}`,
    `    workspace: ${workspace}`,
    `    dependsOn: [${dependsOn.join(', ')}]`,
    `    executor: { kind: command, run: [sleep ${workSeconds}, ${JSON.stringify(run)}] }`,
    `    acceptance: [{ run: ${JSON.stringify(accept)} }]`,
    ...(review === undefined
      ? []
      : [`    review: { mode: required, specializations: [${review}], rounds: 3, timeoutMinutes: 5 }`]),
  ].join('\n');
}
