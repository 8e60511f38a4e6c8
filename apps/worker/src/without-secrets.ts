import type { Failure, PayloadInput } from '@switchyard/protocol';
import type { AttemptReport } from './attempt-report.ts';

/** Takes secrets out of a text. */
type Redact = (text: string) => string;
type Evidence = NonNullable<PayloadInput<'task-failed'>['evidence']>;

/**
 * The report as it may leave this machine: journal, report and case file keep for ever what stands in it. What programs
 * print and say is looked through; paths, commits and tasks are what they are.
 */
export function withoutSecrets(report: AttemptReport, redact: Redact): AttemptReport {
  switch (report.type) {
    case 'task-completed': {
      const { result, evidence, ...rest } = report.payload;
      const payload = { ...rest, result: redact(result), evidence: evidenceWithout(evidence, redact) };
      return { type: report.type, payload };
    }
    case 'task-failed': {
      const { error, failure, evidence, ...rest } = report.payload;
      const payload = {
        ...rest,
        error: redact(error),
        failure: failureWithout(failure, redact),
        ...(evidence !== undefined && { evidence: evidenceWithout(evidence, redact) }),
      };
      return { type: report.type, payload };
    }
    case 'task-lost':
      return { type: report.type, payload: { ...report.payload, reason: redact(report.payload.reason) } };
    case 'escalation':
      return { type: report.type, payload: wordsWithout(report.payload, redact) };
  }
}

function failureWithout(failure: Failure, redact: Redact): Failure {
  const { message, outputTail } = failure;
  return {
    ...failure,
    message: redact(message),
    ...(outputTail !== undefined && { outputTail: redact(outputTail) }),
  };
}

interface Words {
  readonly reason?: string | undefined;
  readonly attemptedSolutions?: readonly string[] | undefined;
  readonly needsClarification?: string | undefined;
}

/** What is asked of a person. */
export function wordsWithout<Asked extends object>(asked: Asked & Words, redact: Redact): Asked {
  const { reason, attemptedSolutions, needsClarification } = asked;
  return {
    ...asked,
    ...(reason !== undefined && { reason: redact(reason) }),
    ...(attemptedSolutions !== undefined && { attemptedSolutions: attemptedSolutions.map(redact) }),
    ...(needsClarification !== undefined && { needsClarification: redact(needsClarification) }),
  };
}

function evidenceWithout<Handed extends Evidence>(evidence: Handed, redact: Redact): Handed {
  const { outputTail, receipts, handover } = evidence;
  return {
    ...evidence,
    ...(outputTail !== undefined && { outputTail: redact(outputTail) }),
    ...(receipts !== undefined && {
      receipts: receipts.map((receipt) => ({ ...receipt, outputTail: redact(receipt.outputTail) })),
    }),
    ...(handover !== undefined && { handover: handoverWithout(handover, redact) }),
  };
}

function handoverWithout(handover: NonNullable<Evidence['handover']>, redact: Redact) {
  const { findings = [], blockers = [], features = [] } = handover;
  return {
    ...handover,
    findings: findings.map((finding) => ({
      ...finding,
      description: redact(finding.description),
      ...(finding.suggestion !== undefined && { suggestion: redact(finding.suggestion) }),
    })),
    blockers: blockers.map(redact),
    features: features.map(redact),
  };
}
