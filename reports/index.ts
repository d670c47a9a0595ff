/** What other rooms may use of reports: data in, text out. */
export { benchFiles, benchMarkdown, type ReportFile } from './bench-report.ts';
export {
  CSV_TABLES,
  type CsvTable,
  type CsvValue,
  csvColumnsDocument,
  csvHeader,
  csvRows,
  csvText,
  SUBTASKS_FILE,
} from './csv-tables.ts';
export { htmlReport, type ReportInput, type ReportLife } from './html-report.ts';
export type { LifeFigures } from './life-figures.ts';
export { marginsDocument, marginText } from './margin-table.ts';
export { markdownSummary, table } from './markdown-summary.ts';
export { type FaultCount, type SweepSums, SweepSummary } from './sweep-summary.ts';
export { type DocumentMarks, tableDocument, withTable } from './marked-document.ts';
export { type HuntFigures, MUTANT_MARKS, type MutantFigures, mutantTable } from './mutant-table.ts';
export {
  type MutantScores,
  SCOREBOARD_MARKS,
  type StrategyScore,
  strategyTable,
} from './strategy-table.ts';
export { type MutantReach, REACH_MARKS, reachTable } from './scenario-reach.ts';
export { SMALLEST_MARKS, type SmallestFailure, smallestFailures } from './smallest-failures.ts';
export { probesDocument, type ReachedProbe, reachedProbes, type Unreached, unreached } from './reached.ts';
export { timelineLine, timelineLines } from './timeline-log.ts';
export { caseText, type CrashFigures, crashFigures } from './crash-table.ts';
export { type DocumentPart, markdownOf } from './document-part.ts';
export { areOf, countOf } from './count-of.ts';
export { chanceSentences } from './chance-sentences.ts';
export { explanationText } from './explanation-text.ts';
export { faultSentence } from './fault-sentence.ts';
export { traceLine } from './trace-format.ts';
