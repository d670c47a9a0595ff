/**
 * Named points of the engine's code that say: this rare situation occurred (FoundationDB: TEST, CODE_PROBE; Antithesis: sometimes).
 *
 * A test of a rare path is worth what its sweep reaches. So each name is in one table, with where it is and what it says; who counts the
 * facts of a sweep against the table sees what was never reached.
 *
 * Owns: the table. Does not own: who counts. A probe is a fact for the history like any other: no role ever learns of it.
 * Invariants:
 *   I1 a name that is not in the table does not compile; each name of the table is used in the engine (tests/tidy/probes.test.ts);
 *   I2 a probe lies on a branch that is not taken for each record: it may cost a fact each time.
 */
export const PROBE_AREAS = [
  'barriers',
  'changelog',
  'coordinator',
  'coordination',
  'failover',
  'leadership',
  'lsm',
  'registry',
  'rescale',
  'sinks',
  'sources',
  'storage',
  'timers',
] as const;
export type ProbeArea = (typeof PROBE_AREAS)[number];

/** By area, then name: what has happened, as a sentence. */
const BY_AREA = {
  barriers: {
    'alignment-timed-out': 'An alignment took too long, and the barrier overtook from there on (row B8).',
    'announced-barrier-overtaken': 'A barrier that waits in its queue was pulled to the front (row B8).',
    'barrier-behind-abort': 'The first barrier came of a checkpoint whose abort had come before (row B3).',
    'barrier-of-the-past': 'A barrier came of a checkpoint that is over here.',
    'barrier-waited-for-record': 'A barrier waited because a record stuck in the outputs (row B15).',
    'cancelled-during-alignment': 'A cancellation marker, or an abort, ended an alignment (row B3).',
    'channel-ended-during-alignment': 'A channel ended, and with that the last barrier was there (row B2).',
    'in-flight-data-given-up':
      'A checkpoint with in-flight data was restored without it, because somebody gave it up (row X26).',
    'in-flight-data-in-snapshot': 'An unaligned snapshot holds data that was under way (row B5).',
    'in-flight-data-taken-over':
      'In-flight data of another parallelism was processed before the channels were asked (row B19).',
    'newer-barrier-gave-up-alignment':
      'The barrier of a newer checkpoint ended the alignment of an older one (row B1).',
    'queued-barrier-overtook': 'A barrier overtook data in an output queue after the time-out (row B8).',
    'subsumed-with-channel-state-open':
      'A newer checkpoint began while one still waited for barriers of its channel state.',
    'trigger-waited-for-record': 'A trigger waited because a record stuck in the outputs (row B15).',
  },
  changelog: {
    'changelog-written-ahead': 'A stretch of a state log was written before a checkpoint asked for it (row S20).',
    'materialization-failed': 'A snapshot that was to take the place of a state log could not be written (row S20).',
    'state-materialized': 'A snapshot took the place of the state log before it (row S20).',
  },
  coordinator: {
    'acknowledge-repeated': 'An acknowledgement was not confirmed in time and sent again (row C11).',
    'acknowledgement-exceeds-frame': 'The state in one acknowledgement was too much for a message (row X11).',
    'checkpoint-failures-fail-job': 'More checkpoints failed in a row than are tolerated (row C15).',
    'checkpoint-counter-moved':
      'A write whose answer was given up moved the counter late: the next id was taken (row C8).',
    'checkpoint-ids-exhausted': 'The counter of checkpoint ids is at its end.',
    'decline-repeated': 'A decline was not confirmed in time and sent again (row C11).',
    'decline-of-ended-checkpoint': 'A task declined a checkpoint that is over.',
    'duplicate-acknowledgement': 'An acknowledgement came that is there already (row C9).',
    'expiry-while-being-decided':
      'A checkpoint ran out of time while the write that decides it was unanswered (row F17).',
    'final-checkpoint-requested': 'All subtasks had reached the end of data: a checkpoint was asked for (row C23).',
    'inner-task-triggered': 'A task that is no source was triggered, because its producers have finished (row C21).',
    'late-acknowledgement': 'An acknowledgement came of a checkpoint that had expired (row C10).',
    'metadata-write-repeated': 'A write of _metadata failed, or was not answered, and is repeated (row C13).',
    'older-pending-subsumed': 'A checkpoint that completed ended an older pending one (row C13).',
    'pointer-write-found-done': 'A pointer write that was not answered had taken effect (row F17).',
    'pointer-write-unknown': 'A pointer write was not answered (row F17).',
    'pointer-write-waits-for-another': 'The pointer write of a checkpoint waited for that of another.',
    'savepoint-beside-checkpoint': 'A savepoint was triggered while a checkpoint was pending (row C12).',
    'trigger-after-job-stopped': 'The job stopped between the choice of an id and the trigger (row C3).',
    'trigger-checkpoint-coordinator-suspend':
      'A checkpoint was asked for behind the savepoint the job stops with (row C28).',
    'trigger-held-back-by-minimum-pause': 'A periodic checkpoint was put off by the minimum pause (row C2).',
    'trigger-of-given-up-checkpoint': 'A subtask was triggered for a checkpoint whose abort it had heard before.',
    'trigger-not-all-required-tasks-running': 'A checkpoint was asked for while a task did not run (row C1).',
    'trigger-periodic-scheduler-shutdown': 'A periodic checkpoint was due when the scheduler had stopped (row C4).',
    'trigger-unconfirmed': 'Somebody did not confirm a trigger in time, and the checkpoint failed (row C1).',
    'unconfirmed-acknowledgement-given-up':
      'An acknowledgement was never confirmed; the subtask declined instead (row C11).',
  },
  coordination: {
    'backlog-began': 'A source reported that it lags (row C5).',
    'backlog-over': 'A source reported that it has caught up (row C5).',
    'checkpoint-waits-for-operator-events':
      'A checkpoint waited for events that subtasks had not acknowledged (row C24).',
    'operator-event-kept-back': 'An event to a subtask was kept back behind the coordinator snapshot (row C24).',
    'operator-event-lost': 'An event to a subtask was lost; the subtask fails.',
    'operator-event-out-of-order': 'An event from a subtask came before an earlier one.',
    'operator-event-unanswered': 'An event to the coordinator was never acknowledged; the subtask fails.',
    'partition-discovered-later': 'The log had a partition that the enumerator did not know, while others were read.',
    'split-finished-again': 'A split was reported as finished that was known to be.',
    'source-switched': 'A source of a chain was read to its end, and the next one is read (row B24).',
    'splits-of-earlier-source-given-back':
      'A subtask had forgotten splits of a source that is over for everybody else (row B24).',
    'splits-given-back': 'Splits of a subtask that failed went back to the enumerator.',
  },
  failover: {
    'consumer-reconnected': 'A subtask that runs goes on writing to a later attempt of its consumer (row F1).',
    'local-state-damaged': 'A copy of state on the node was not what its file is, and that was fetched (row S22).',
    'local-state-missing': 'A file of state had no copy on the node, and was fetched (row S22).',
    'local-state-used': 'A file of state was restored from its copy on the node (row S22).',
    'deployment-after-cancel': 'A deployment came of an attempt that had been cancelled.',
    'deployment-outlived-process': 'A deployment came for an earlier process of the TaskManager.',
    'deployment-repeated': 'A TaskManager did not list what it was sent; it is sent again.',
    'deployment-timed-out': 'Subtasks did not begin to run in time.',
    'failure-found-by-heartbeat': 'A failure was heard of by a heartbeat only: its report was lost.',
    'failure-while-region-restarts': 'A subtask failed whose region was about to be restarted (row F3).',
    'job-cleaned-up': 'Everything that a job left was removed (row F18).',
    'job-cleanup-repeated': 'Something was not removed at the first try (row F18).',
    'job-failed-for-good': 'A failure was not to be mended by a restart (row F2).',
    'job-lost-with-jobmanager': 'Without high availability the job was gone with its JobManager.',
    'node-blocked': 'A TaskManager failed so often that it gets no tasks for a while.',
    'nothing-to-dispose-of': 'Somebody disposed of a savepoint that there is none of.',
    'region-recovered': 'A region runs again while the others went on (row C18).',
    'restart-waits-for-pointer-write': 'A restart waited for the answer to a pointer write (row C19).',
    'restart-waits-for-slots': 'A region could not restart because there were too few slots.',
    'restore-refused': 'What there was to restore did not fit the job.',
    'slot-still-occupied': 'A deployment came while a cancelled subtask was still in its slot.',
    'task-cancellation-timeout': 'A cancelled subtask did not end in time; its process ended itself (row F10).',
    'taskmanager-heartbeat-timeout': 'A TaskManager was silent for too long and counts as lost (row F19).',
    'taskmanager-lost-jobmanager': 'A TaskManager did not hear from its leader for too long (row F19).',
  },
  leadership: {
    'job-result-found-clean': 'A new leader found that the job is over and cleaned up (row F18).',
    'job-result-found-dirty': 'A new leader found that the job is over, and not cleaned up (row F18).',
    'kubernetes-lease-not-renewed': 'A leader could not renew its record in time and stepped down.',
    'kubernetes-relist': 'A watch was lost; the object was listed anew.',
    'kubernetes-update-conflict': 'An update of the ConfigMap met a newer version.',
    'kubernetes-write-fenced': 'A write was refused because its author leads no more.',
    'latch-left-over-node-removed': 'A node of its own that was left in the queue was removed (CURATOR-3).',
    'latch-session-may-be-over': 'A leader stepped down because its session may have expired unheard.',
    'latch-suspended': 'A leader stepped down because its connection was lost.',
    'lease-given-up': 'A leader could not renew its lease in time and stepped down.',
    'lease-renewal-found-done': 'A renewal that was not answered had taken effect.',
    'lease-taken-from-silent-leader': 'A lease was taken over because it was not renewed.',
    'lease-taken-from-own-past': 'A process found the lease of its own predecessor and took it over at once.',
    'lease-write-lost-race': 'Another contender wrote the lease first.',
    'lease-write-unknown': 'A write of the lease was not answered.',
    'retained-metadata-unreadable':
      'A new leader could not read the metadata of a retained checkpoint at once (row C19).',
    'takeover-superseded': 'A new leader found the pointer of an even newer one.',
    'taskmanager-fenced-old-leader': 'A TaskManager refused what a former leader asked for (row F15).',
    'zookeeper-write-fenced': 'A write was refused because its author leads no more.',
  },
  lsm: {
    'segments-all-reused': 'An incremental checkpoint wrote no segment: all were there already (row S17).',
    'segments-clipped-at-restore':
      'Segments were restored by another number of subtasks, each of which keeps its own key groups (row S18).',
    'segments-reused': 'An incremental checkpoint is made of segments of an earlier one, among others (row S17).',
  },
  registry: {
    'files-of-earlier-run-swept': 'Files that an earlier run had left and not kept were deleted.',
    'full-checkpoint-forced': 'A checkpoint may use nothing of the snapshot that was restored without claim (row C7).',
    'merged-garbage-swept':
      'Merged files of subtasks that have ended were deleted: no checkpoint uses anything in them (row S19).',
    'placeholder-of-missing-file': 'A checkpoint named a shared file that is not registered any more (row S16).',
    'shared-files-registered-late':
      'Shared files came with an acknowledgement nobody waits for; they are registered all the same (row C9).',
    'shared-garbage-swept': 'Shared files that no checkpoint uses were deleted.',
    'unfinished-file-swept': 'A file of a retained checkpoint that never got its last name was deleted.',
  },
  rescale: {
    'rescale-waits-for-the-finished': 'A vertex had finished in part, so the job stayed as wide as it was (row C22).',
    'rescale-after-failed-checkpoints': 'So many checkpoints failed that a rescale waited for none (row F7).',
    'restored-at-other-parallelism': 'A snapshot was restored by another number of subtasks (row S18).',
    'scaling-cooldown': 'A rescale is thought of only after a while (row F7).',
    'scaling-idling': 'There is nothing to rescale to (row F7).',
    'scaling-stabilized': 'The slots are there, a checkpoint is waited for (row F7).',
    'scaling-stabilizing': 'More slots may still come (row F7).',
    'scaling-transitioning': 'The job restarts with another parallelism (row F7).',
  },
  sinks: {
    'check-back-commit': 'A broker asked about a transaction and was told to commit it (row K9).',
    'check-back-rollback': 'A broker asked about a transaction and was told to roll it back (row K9).',
    'check-back-unknown': 'A broker asked about a transaction that nobody can decide yet (row K9).',
    'committed-behind-the-end':
      'Something was committed when the end of data had left its committer: nobody behind hears of it (row K8).',
    'commit-found-done': 'A commit was done by an earlier try, or an earlier attempt (row K7).',
    'commit-of-missed-notice': 'A commit belongs to a checkpoint whose notice this subtask never got (row K6).',
    'commit-retried': 'A commit failed and is tried again (row K7).',
    'committables-recovered': 'A restored checkpoint says what is still to be committed (row K7).',
    'lingering-transaction-aborted': 'A transaction of an earlier attempt was aborted (row K10).',
    'orphan-output-removed': 'Unfinished files of an earlier attempt were removed (row K12).',
    'output-file-committed-already': 'A pending file had its name already (row K7).',
    'output-files-compacted': 'Small files were made one (row K12).',
    'pre-commit-repeated': 'A pre-commit was not answered, or refused for now, and is asked for again.',
    'producer-of-other-parallelism-fenced': 'A subtask took over the producer of one that is no more.',
    'sink-writer-fenced': 'A writer found that a newer attempt had taken its producer over.',
    'transaction-lost': 'A transaction was aborted, by time-out, before it was pre-committed.',
  },
  sources: {
    'file-block-damaged': 'A block of a file came damaged or cut short; it is read again.',
    'file-end-in-doubt':
      'A read gave nothing of a block and nearly nothing before it, or only a part of the line before it: where the file ends, or the block begins, is asked from further back.',
    'log-fetch-unanswered': 'A fetch from the log was not answered and is repeated.',
    'log-unavailable': 'The log refused a fetch; it is tried again later.',
    'marker-before-trigger': 'A source came upon the marker of a checkpoint it was not triggered for yet (row C25).',
    'marker-of-checkpoint-that-is-over': 'A source read over the marker of a checkpoint that is over (row C25).',
    'offset-out-of-range': 'The log had deleted what a source wanted to read next (row K1).',
    'socket-records-lost': 'A socket has handed out records that this attempt never saw.',
    'source-stopped-for-savepoint': 'A source stopped reading: its next barrier is the last thing it says (row C28).',
  },
  storage: {
    'directory-not-empty': 'A directory was to go that still has files.',
    'file-found-written-already': 'A file was there by an earlier try of the same write.',
    'file-step-repeated': 'A step of a file write was not answered and is repeated.',
    'file-write-refused': 'A file server or namenode refused a step of a write.',
    'merged-append-failed': 'Nobody knows where a merged file ends; it takes nothing more (row S19).',
    'merged-file-deleted-again': 'A merged file was deleted that a late write may have brought back (row S19).',
    'merged-file-wasteful': 'So little of a merged file was in use that its parts were written anew (row S19).',
    'merging-waited-in-vain': 'Pieces of state were written without those of a subtask that said nothing (row S19).',
    'metadata-begun-anew': 'What a loss of power left of `_metadata` under its first name was written anew (row T5).',
    'state-fetch-repeated': 'A file to restore could not be read and is asked for again.',
    'state-too-large-for-jobmanager': 'A piece of state was too large for the JobManager (row X11).',
    'state-write-found-taken': 'A state file had its name already, with other contents.',
    'state-write-given-up': 'A state file could not be written; the checkpoint is declined.',
    'state-write-repeated': 'A write of a state file failed and is tried again.',
    'state-write-unanswered': 'A write of a state file was not answered and is made again.',
    'storage-backs-off': 'The storage is too busy; a request waits (row T7).',
    'storage-busy-for-too-long': 'The storage was too busy for longer than a request waits (row T7).',
    'upload-found-complete': 'An upload in parts had been completed by an earlier try (row T7).',
    'upload-given-up': 'An upload in parts failed and was aborted (row T7).',
  },
  timers: {
    'input-idle': 'A subtask told those behind it that nothing comes from it for now.',
    'processing-timer-overdue':
      'A timer of processing time was due when it was armed: restored, or the subtask was busy (G6).',
    'processing-timers-sliced': 'More timers of processing time were due than fire in one mailbox action.',
    'snapshot-between-timers': 'A snapshot was taken while a watermark had fired only some of its timers (row B21).',
    'watermark-interrupted': 'A watermark waits in the chain: the outputs are full, or its slice is over (row B21).',
  },
} as const satisfies Readonly<Record<ProbeArea, Readonly<Record<string, string>>>>;

type NamesOf<Area> = Area extends ProbeArea ? keyof (typeof BY_AREA)[Area] : never;
export type ProbeName = NamesOf<ProbeArea>;

export interface Probe {
  readonly name: string;
  readonly area: string;
  /** What has happened. */
  readonly says: string;
}

export const PROBES: readonly (Probe & { readonly name: ProbeName; readonly area: ProbeArea })[] = PROBE_AREAS.flatMap(
  (area) => Object.entries(BY_AREA[area]).map(([name, says]) => ({ name: name as ProbeName, area, says })),
);
