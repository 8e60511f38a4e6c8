import type { SessionReport } from '@switchyard/protocol';
import { escapeMarkdown } from '../markdown-text.ts';
import { fieldMeant, requiredFields, sessionFields } from './session-fields.ts';
import { placeholder, type SessionTemplate, type TemplateSection } from './session-template.ts';

/** Fills a template. What every report has to tell and the template does not ask for stands at its end. */
export function renderSession(report: SessionReport, template: SessionTemplate): string {
  const used = new Set<string>();
  const sections = [...template.sections];
  const lines = [
    `# ${fill(template.title, report, used).replace(/\s+/g, ' ')}`,
    '',
    ...sections.flatMap((section) => sectionLines(section, { report, used, level: 2 })),
  ];
  const isShown = (choice: string): boolean => choice.split('+').every((name) => used.has(name));
  const missing = requiredFields.filter((choices) => !choices.some(isShown)).map(([name = '']) => name);
  if (missing.length > 0)
    lines.push(
      '## Not in the template',
      '',
      ...missing.flatMap((name) => [...valueOf(name, report, used), '']),
    );
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
}

interface Filling {
  readonly report: SessionReport;
  readonly used: Set<string>;
  readonly level: number;
}

function sectionLines({ title, content, sections }: TemplateSection, filling: Filling): string[] {
  const { report, used, level } = filling;
  return [
    `${'#'.repeat(Math.min(6, level))} ${fill(title, report, used).replace(/\s+/g, ' ')}`,
    '',
    ...(content === '' ? [] : [fill(content, report, used), '']),
    ...sections.flatMap((section) => sectionLines(section, { ...filling, level: level + 1 })),
  ];
}

function fill(content: string, report: SessionReport, used: Set<string>): string {
  return content.replace(placeholder, (whole, name: string) => {
    const field = fieldMeant(name);
    return field === undefined ? escapeMarkdown(whole) : valueOf(field, report, used).join('\n');
  });
}

function valueOf(name: string, report: SessionReport, used: Set<string>): readonly string[] {
  used.add(name);
  return sessionFields[name]?.(report) ?? [];
}
