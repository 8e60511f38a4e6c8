export { buildPlan, buildTask, type TaskWords } from './build-plan.ts';
export { HeldJournal } from './held-journal.ts';
export { MemoryOutbox } from './memory-outbox.ts';
export { MemoryRepository } from './memory-repository.ts';
export { seededRandom } from './seeded-random.ts';
export { settle, VirtualClock } from './virtual-clock.ts';
