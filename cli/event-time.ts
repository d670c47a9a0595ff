/**
 * Calendar texts of data sets to microseconds and back, in UTC, without the machine's clock or time zone.
 *
 * I1: `parseInstantUs(formatInstant(t))` is `t` for whole microseconds from year 1 to 9999.
 */
import { civilFromDays, daysFromCivil, MONTHS } from '../scenarios/datasets/calendar.ts';

const US_PER_SECOND = 1_000_000;
const US_PER_DAY = 86_400 * US_PER_SECOND;
const CALENDAR =
  /^(\d{4})[/-](\d{1,2})[/-](\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(?:Z|[+]00:?00)?)?$/;
/** `Mar 1 2000`, as some of the shipped data sets have it. */
const MONTH_DAY_YEAR = /^([A-Z][a-z]{2}) (\d{1,2}) (\d{4})$/;
const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** Microseconds since 1970 of `YYYY/MM/DD HH:mm` (seconds and `-`, `T`, `Z` are welcome), of `Mar 1 2000`, or of a number of milliseconds. */
export function parseInstantUs(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.round(value * 1_000) : undefined;
  const match = typeof value === 'string' ? CALENDAR.exec(numericDate(value)) : null;
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const leap = month === 2 && isLeap(year) ? 1 : 0;
  if (day < 1 || day > (DAYS_OF_MONTH[month - 1] ?? 0) + leap || hour > 23 || minute > 59 || second > 59)
    return undefined;
  const fraction = Number((match[7] ?? '').padEnd(6, '0'));
  return daysFromCivil(year, month, day) * US_PER_DAY + ((hour * 60 + minute) * 60 + second) * US_PER_SECOND + fraction;
}

/** `YYYY/MM/DD HH:mm`, with seconds only when there are some. */
export function formatInstant(atUs: number): string {
  const days = Math.floor(atUs / US_PER_DAY);
  const ofDay = atUs - days * US_PER_DAY;
  const { year, month, day } = civilFromDays(days);
  const seconds = Math.floor(ofDay / US_PER_SECOND);
  const fraction = ofDay - seconds * US_PER_SECOND;
  const minutes = Math.floor(seconds / 60);
  const date = `${digits(year, 4)}/${digits(month, 2)}/${digits(day, 2)}`;
  const time = `${digits(Math.floor(minutes / 60), 2)}:${digits(minutes % 60, 2)}`;
  if (ofDay % (60 * US_PER_SECOND) === 0) return `${date} ${time}`;
  return `${date} ${time}:${digits(seconds % 60, 2)}${fraction === 0 ? '' : `.${digits(fraction, 6)}`}`;
}

function numericDate(text: string): string {
  const [, month = '', day = '', year = ''] = MONTH_DAY_YEAR.exec(text) ?? [];
  const number = MONTHS.indexOf(month) + 1;
  return number === 0 ? text : `${year}/${String(number)}/${day}`;
}

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const digits = (value: number, width: number): string => String(value).padStart(width, '0');
