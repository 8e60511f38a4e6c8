import { specializations, type Specialization } from '@switchyard/protocol';
import type { Engine, PlacedFinding } from '../engine.ts';
import type { Scanner } from '../scanner.ts';
import { ChangeView } from './change-view.ts';
import type { ChangeCheck } from './change-check.ts';
import { contracts } from './contracts.ts';
import { copiedBlocks } from './copied-blocks.ts';
import { dependencies } from './dependencies.ts';
import { grownFunctions } from './grown-functions.ts';
import { imports } from './imports.ts';
import { lineCoverage } from './line-coverage.ts';
import { addedSuppressions, editedMigrations, loweredThresholds } from './lowered-guards.ts';
import { protectedTests } from './protected-tests.ts';
import { untestedExports } from './untested-exports.ts';

const checks: readonly ChangeCheck[] = [
  protectedTests,
  loweredThresholds,
  addedSuppressions,
  untestedExports,
  lineCoverage,
  contracts,
  imports,
  dependencies,
  editedMigrations,
  copiedBlocks,
  grownFunctions,
];
const checksOf = (wanted: Specialization): readonly ChangeCheck[] =>
  checks.filter((check) => check.specializations.includes(wanted));

/** What only shows when the tree before the change and the tree around it are looked at too. */
export function changeEngine(scanner: Scanner): Engine {
  return {
    name: 'change',
    specializations: specializations.filter((wanted) => checksOf(wanted).length > 0),
    async analyze(request) {
      const view = new ChangeView(request, scanner);
      const found: PlacedFinding[] = [];
      for (const check of checks) {
        request.signal.throwIfAborted();
        if (!check.specializations.some((one) => request.specializations.includes(one))) continue;
        for (const one of await check.find(view)) found.push(one);
      }
      return found;
    },
    praise(request, specialization) {
      if (request.files.length === 0) return undefined;
      return `change: ${checksOf(specialization).length} comparisons for ${specialization}, nothing`;
    },
    close: () => scanner.close(),
  };
}
