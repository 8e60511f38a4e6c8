import { openMemoryJournal } from '@switchyard/store';
import { journalConformance } from './journal-conformance.ts';

journalConformance('memory', () => openMemoryJournal());
