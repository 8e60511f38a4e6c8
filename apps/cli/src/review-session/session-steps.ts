import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { policyPath } from '@switchyard/analyzers';
import { AppError, messageOf, type Specialization } from '@switchyard/protocol';
import {
  defaultSessionTemplate,
  parseSessionTemplate,
  renderSession,
  type SessionTemplate,
} from '@switchyard/report';
import {
  checkCoverage,
  checkSubstance,
  chooseReviewers,
  compareWithEarlier,
  concludeSession,
  integrateResults,
  readEarlierFindings,
  sessionMetrics,
  sessionProblemLine,
  tickTask,
  unseenBlocking,
  type DeliverableName,
  type EarlierStanding,
  type Integration,
  type ReviewerResult,
  type SessionState,
  type SessionStep,
  type SessionVerdict,
} from '@switchyard/review';
import { replaceFile } from './replace-file.ts';
import {
  inputsDigest,
  loadPlan,
  loadSpecs,
  loadTask,
  namedPaths,
  readDocument,
  requirementsOf,
} from './session-documents.ts';
import type { StepResult } from './session-driver.ts';
import { insideProject, usualTemplate, type SessionProject } from './session-project.ts';
import { SourceLines } from '../source-lines.ts';
import { sessionReportOf } from './session-report.ts';
import type { ModelSubject } from './session-model.ts';
import { openSessionScope, type SessionScope } from './session-scope.ts';
import type { SessionStore } from './session-store.ts';

/** What was asked for on the command line. */
export interface StepOptions {
  readonly since?: string | undefined;
  readonly reviewers?: readonly Specialization[] | undefined;
  /** A template by flag or environment; else the project's own, else ours. */
  readonly template?: string | undefined;
  /** A model that reviews beside the static engines. */
  readonly model?: string | undefined;
  readonly now: () => number;
}

/** What reviewers found, put together. */
interface Result {
  readonly results: readonly ReviewerResult[];
  readonly integration: Integration;
  readonly verdict: SessionVerdict;
  readonly standings: readonly EarlierStanding[] | undefined;
}

/**
 * What the orchestrator of a session does between the reviewers: reads, checks, chooses, integrates, writes. Each step
 * may be done twice: after a kill it is done again.
 */
export class SessionSteps {
  private readonly project: SessionProject;
  private readonly store: SessionStore;
  private readonly options: StepOptions;
  private opened: Promise<SessionScope> | undefined;

  constructor(store: SessionStore, options: StepOptions) {
    this.store = store;
    this.project = store.project;
    this.options = options;
  }

  take(step: Exclude<SessionStep, 'run_reviewers'>, state: SessionState): Promise<StepResult> {
    return this.steps[step](state);
  }

  /** What is under review; opened once. */
  scope(): Promise<SessionScope> {
    const { since } = this.options;
    const named = (): string[] => namedPaths(loadPlan(this.project), loadTask(this.project));
    this.opened ??= openSessionScope(this.project.root, { named: named(), since });
    return this.opened;
  }

  /** What a model is told of the task. */
  subject(): ModelSubject {
    const { text, criteria } = loadTask(this.project);
    const description = `${text}\n\nThe plan of the task:\n\n${loadPlan(this.project)}`;
    return { taskId: this.project.taskId, description, criteria: criteria.map((one) => one.text) };
  }

  async close(): Promise<void> {
    // One that could not be opened has told so already.
    const scope = await this.opened?.catch(() => undefined);
    await scope?.close();
  }

  private readonly steps: Readonly<
    Record<Exclude<SessionStep, 'run_reviewers'>, (state: SessionState) => Promise<StepResult>>
  > = {
    load_specs: async () => {
      loadSpecs(this.project);
      return { outcome: { step: 'load_specs' } };
    },
    parse_task: async () => {
      const { title, subTasks, criteria, requirements } = loadTask(this.project);
      const size = subTasks.length + criteria.length + requirements.length;
      const complexity = size <= 3 ? 'low' : size <= 10 ? 'medium' : 'high';
      return { outcome: { step: 'parse_task', title, complexity } };
    },
    retrieve_plan: async () => ({
      outcome: { step: 'retrieve_plan', inputsDigest: inputsDigest(this.project) },
    }),
    validate_plan: () => this.validatePlan(),
    assess_status: () => this.assessStatus(),
    choose_reviewers: () => this.chooseReviewers(),
    integrate_results: async (state) => ({
      outcome: { step: 'integrate_results', conclusion: (await this.result(state)).verdict.conclusion },
    }),
    write_report: (state) => this.writeReport(state),
    record_metrics: async (state) => {
      const { counts } = (await this.result(state)).integration;
      const metrics = sessionMetrics(state, { now: this.options.now(), counts });
      return { outcome: { step: 'record_metrics', metrics } };
    },
    archive_session: async (state) => {
      this.store.archive(state, resultsOf(this.store, state), this.reportText());
      return { outcome: { step: 'archive_session' } };
    },
    update_task: (state) => this.updateTask(state),
    clean_up: async (state) => {
      const missing = this.missingDeliverables(state);
      if (missing.length === 0) this.store.cleanUp();
      return { outcome: { step: 'clean_up', missing } };
    },
  };

  private async validatePlan(): Promise<StepResult> {
    const { project } = this;
    const specs = loadSpecs(project);
    const task = loadTask(project);
    const plan = loadPlan(project);
    const { gaps, warnings } = checkCoverage({
      plan,
      planFile: project.plan,
      task,
      taskFile: project.tasks,
      requirements: requirementsOf(project, specs),
    });
    const others = specs.filter(({ path }) => path !== project.tasks).map(({ text }) => text);
    const { conflicts, warnings: doubts } = checkSubstance(plan, project.plan, others);
    // Gaps are mended first: with them the session fails anyway, and its list holds the conflicts as well.
    if (gaps.length === 0 && conflicts.length > 0)
      throw new AppError('E_SESSION_CONFLICT', conflicts.map(sessionProblemLine).join('\n'));
    const small = [...warnings, ...conflicts, ...doubts, ...this.missingPaths(plan)];
    // What the report cannot be made from is told now, not when all reviewers have worked.
    const ofTemplate = gaps.length === 0 ? this.template().warnings : [];
    return {
      outcome: { step: 'validate_plan', gaps: gaps.map(sessionProblemLine) },
      warnings: [...small.map(sessionProblemLine), ...ofTemplate],
    };
  }

  /** Files that the plan names and that are not there. */
  private missingPaths(plan: string): { file: string; message: string; fix: string }[] {
    const { root, plan: file } = this.project;
    return namedPaths(plan, loadTask(this.project))
      .filter((path) => path.includes('/') && !existsSync(join(root, path)))
      .map((path) => ({
        file,
        message: `${path} is named and not there`,
        fix: 'correct the path, or write it',
      }));
  }

  private async assessStatus(): Promise<StepResult> {
    const earlier = this.reportText();
    const findings = earlier === undefined ? [] : readEarlierFindings(earlier);
    this.store.saveEarlier(findings);
    const brownfield = {
      is_brownfield: earlier !== undefined,
      previous_report: earlier === undefined ? null : this.project.report,
      earlier_findings: findings.length,
    };
    return { outcome: { step: 'assess_status', brownfield } };
  }

  private async chooseReviewers(): Promise<StepResult> {
    const scope = await this.scope();
    const { text } = loadTask(this.project);
    const { projectType, reason, reviewers, covers } = chooseReviewers({
      texts: [text, loadPlan(this.project)],
      paths: scope.files.map(({ path }) => path),
      earlier: this.store.readEarlier().flatMap(({ category }) => category ?? []),
      asked: this.options.reviewers,
    });
    const warnings = scope.files.length === 0 ? ['there is no file to review'] : [];
    return {
      outcome: {
        step: 'choose_reviewers',
        projectType,
        reason: this.options.model === undefined ? reason : `${reason}; with the model ${this.options.model}`,
        scope: scope.text,
        scopeDigest: scope.digest,
        reviewers,
        covers,
      },
      warnings,
    };
  }

  private async result(state: SessionState): Promise<Result> {
    const results = resultsOf(this.store, state);
    const scope = await this.scope();
    const isBrownfield = state.session_metadata.brownfield.is_brownfield;
    const { standings, historyOf } = compareWithEarlier(
      isBrownfield ? this.store.readEarlier() : [],
      results.flatMap(({ findings }) => [...findings]),
      {
        // Every reviewer reads the policy, whether it is under review or not.
        files: new Set([...scope.files.map(({ path }) => path), policyPath]),
        dimensions: new Set(results.map(({ reviewer }) => reviewer.replace('task-reviewer_', ''))),
        exists: (file) => existsSync(join(this.project.root, file)),
      },
    );
    const integration = integrateResults(results, historyOf);
    const withoutResult = state.reviewers
      .filter(({ status }) => status !== 'completed')
      .map(({ reviewer_id }) => reviewer_id);
    const verdict = concludeSession(integration, {
      withoutResult,
      notSeenAgain: unseenBlocking(standings),
      files: scope.files.length,
    });
    return { results, integration, verdict, standings: isBrownfield ? standings : undefined };
  }

  private async writeReport(state: SessionState): Promise<StepResult> {
    const { template, warnings: ofTemplate } = this.template();
    const { warnings: told } = state.session_metadata;
    const warnings = ofTemplate.filter((one) => !told.includes(one));
    const { integration, verdict, standings } = await this.result(state);
    const { project } = this;
    const sources = new SourceLines(project.root, [
      ...integration.findings,
      ...integration.suppressed.map(({ finding }) => finding),
    ]);
    const report = await sessionReportOf(state, {
      root: project.root,
      around: (finding) => sources.around(finding),
      integration,
      verdict,
      standings,
      warnings,
      taskStatus: this.taskStatus(verdict),
      now: this.options.now(),
    });
    this.store.saveReport(report);
    const text = renderSession(report, template);
    replaceFile(insideProject(project, project.report), text, insideProject(project, project.reportBackup));
    return {
      outcome: { step: 'write_report', readable: isReadable(this.reportText() ?? '', integration) },
      warnings,
    };
  }

  /** Throws AppError E_CONFIG where a template is named, or is the project's own, and is none. */
  private template(): { readonly template: SessionTemplate; readonly warnings: readonly string[] } {
    const { template: asked } = this.options;
    const file = asked !== undefined ? resolve(this.project.root, asked) : ownTemplate(this.project);
    if (file !== undefined && !existsSync(file))
      throw new AppError('E_CONFIG', `the template ${file} is not there; correct its path`);
    const shown = asked ?? usualTemplate;
    const text = file === undefined ? defaultSessionTemplate : readFileSync(file, 'utf8');
    const { template, problems } = parseSessionTemplate(text);
    const told = problems.map(({ line, column, message }) => `${shown}:${line}:${column}: ${message}`);
    if (template === undefined) throw new AppError('E_CONFIG', `${told.join('\n')}; correct the template`);
    return { template, warnings: told };
  }

  private taskStatus(verdict: SessionVerdict): string {
    const { taskId, tasks } = this.project;
    if (verdict.conclusion !== 'passed')
      return `Task ${taskId} is not ticked in ${tasks}: ${verdict.reasons.join('; ')}.`;
    const { item, subTasks } = loadTask(this.project);
    const ids = [...(item === undefined ? [] : [item]), ...subTasks].map(({ id }) => id);
    return ids.length === 0
      ? `Task ${taskId} has no box to tick in ${tasks}.`
      : `Ticked in ${tasks}: ${ids.join(', ')}.`;
  }

  /** Ticks the task and its sub-tasks, if the conclusion is one that passes; what others write meanwhile stays. */
  private async updateTask(state: SessionState): Promise<StepResult> {
    const { verdict } = await this.result(state);
    const { project } = this;
    const status = this.taskStatus(verdict);
    for (let tries = 0; verdict.conclusion === 'passed'; tries += 1) {
      const before = readDocument(project, project.tasks, 'the list of tasks');
      const { text, ids } = tickTask(before, project.taskId);
      if (ids.length === 0) break;
      if (readDocument(project, project.tasks, 'the list of tasks') === before) {
        replaceFile(insideProject(project, project.tasks), text, insideProject(project, project.tasksBackup));
        break;
      }
      if (tries === 10)
        throw new AppError('E_IO', `${project.tasks} changes all the time; let nobody write it for a moment`);
    }
    return { outcome: { step: 'update_task', status } };
  }

  /** What the steps before have left, and is not there any more. */
  private missingDeliverables(state: SessionState): DeliverableName[] {
    const { project, store } = this;
    const isTicked = (): boolean => {
      const text = readDocument(project, project.tasks, 'the list of tasks');
      return tickTask(text, project.taskId).text === text;
    };
    const isThere = {
      report: this.reportText() !== undefined,
      archive: store.isArchived(state),
      task_status: state.review_session.conclusion !== 'passed' || isTicked(),
    };
    return (['report', 'archive', 'task_status'] as const).filter((name) => !isThere[name]);
  }

  private reportText(): string | undefined {
    const file = insideProject(this.project, this.project.report);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }
}

/** The project's own template. One that lies elsewhere is named by whoever means it. */
function ownTemplate(project: SessionProject): string | undefined {
  if (!existsSync(join(project.root, usualTemplate))) return undefined;
  try {
    return insideProject(project, usualTemplate);
  } catch (cause) {
    throw new AppError('E_CONFIG', `${messageOf(cause)}; name the template by --template`, { cause });
  }
}

function resultsOf(store: SessionStore, state: SessionState): ReviewerResult[] {
  return state.reviewers.flatMap((one) => (one.status === 'completed' ? [store.readResult(one)] : []));
}

/** A report is readable when it begins with a heading and every finding can be read back from it. */
function isReadable(report: string, { findings }: Integration): boolean {
  return report.startsWith('# ') && readEarlierFindings(report).length >= findings.length;
}
