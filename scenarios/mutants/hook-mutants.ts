/** What becomes of outside systems that master hooks speak to (rows C18, C25): whether they go back with the job, and what a checkpoint lacks. */
import { type Mutant, withWrong } from './mutant.ts';

export const hookNotToldOfRegion: Mutant = {
  slug: 'hook-not-told-of-region',
  bug: 'own (row C18)',
  story:
    'Master hooks are called when the whole job is restored, and not when a region is: the outside system goes on from where it is, though part of the job has gone back.',
  parts: withWrong({ hooksAtRegionRestart: 'passed-over' }),
  scenario: 'master-hooks',
  judges: ['ledgers'],
};

export const failedHookPassedOver: Mutant = {
  slug: 'failed-hook-passed-over',
  bug: 'own (row C25)',
  story:
    'A checkpoint that a master hook has failed is completed all the same: it holds no position of that outside system, which a restore begins anew.',
  parts: withWrong({ failedHook: 'passed-over' }),
  scenario: 'master-hooks',
  judges: ['ledgers'],
};
