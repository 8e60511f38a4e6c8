import { lintSource } from '@secretlint/core';
import { creator } from '@secretlint/secretlint-rule-preset-recommend';
import type { PlacedFinding } from './engine.ts';

/** Looks for keys, tokens and passwords in one text; the findings never repeat the secret. */
export async function scanSecrets(source: {
  readonly path: string;
  readonly text: string;
}): Promise<PlacedFinding[]> {
  const result = await lintSource({
    source: {
      filePath: plainName(source.path),
      content: source.text,
      ext: /\.[^./]*$/.exec(source.path)?.[0] ?? '',
      contentType: 'text',
    },
    options: {
      config: { rules: [{ id: '@secretlint/secretlint-rule-preset-recommend', rule: creator }] },
      maskSecrets: true,
      noPhysicFilePath: true,
    },
  });
  return result.messages.map((message) => ({
    severity: message.severity === 'error' ? 'critical' : 'minor',
    category: 'security',
    file: source.path,
    line: message.loc.start.line,
    column: message.loc.start.column + 1,
    endLine: message.loc.end.line,
    description: `A secret stands in the file: ${withoutMask(message.message)}.`.slice(0, 4000),
    suggestion:
      'Take it out of the file and out of the history, replace it at its issuer, and read the new one from the environment or a secret store.',
    references: ['CWE-798', ...(message.docsUrl === undefined ? [] : [message.docsUrl.slice(0, 2000)])],
    rule: `secretlint/${shortRule(message.ruleId)}`,
  }));
}

/** The profiler of secretlint puts names into marks and breaks on a line break in one; rules want the ending only. */
function plainName(path: string): string {
  return path.replace(/[^\w./-]/g, '_');
}

/** The masked secret itself says nothing; what kind it is does. */
function withoutMask(message: string): string {
  return message
    .replace(/\s*\(\*+\)/g, '')
    .replace(/:?\s*\*{3,}/g, '')
    .replace(/^found\s+/i, '');
}

function shortRule(ruleId: string): string {
  return ruleId.replace(/^@secretlint\/secretlint-rule-/, '').slice(0, 150);
}
