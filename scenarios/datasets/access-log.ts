/**
 * The access log of a web shop in the Common Log Format, a line a row. A few visitors are there at a time; each makes some requests and leaves,
 * and the known ones come back. Now and then comes a rush, in which a part of the shop answers with errors; a few lines are cut off.
 *
 * A line is written when its request ends and tells when that began, as real servers do: lines are out of order by the duration of requests,
 * at most `REQUEST_SECONDS_MAX`.
 */
import type { Dataset } from '../../sim/judges/job-audit.ts';
import { type ChoiceSite, Choices } from '../../sim/kernel/choice.ts';
import { civilFromDays, daysFromCivil, MONTHS } from './calendar.ts';

/** A request that takes longer is cut off by the server. */
export const REQUEST_SECONDS_MAX = 4;

const FIRST_SECOND = daysFromCivil(2026, 3, 2) * 86_400 + 8 * 3_600;
const SECTIONS = ['shop', 'search', 'cart', 'account', 'static'] as const;
const VISITORS_AT_A_TIME = 8;
/** One request in so many is the last of its visit. */
const REQUESTS_PER_VISIT = 12;
const HOSTS = 250;
const REGULARS = 25;
/** A rush comes with every so many lines, and is so many lines long. */
const LINES_PER_RUSH = 500;
const RUSH_LINES = 90;

export function accessLog(seed: string, records: number): Omit<Dataset, 'name'> {
  const draw = new Choices({ rootSeed: seed }).site('dataset/access-log');
  const visitors = Array.from({ length: VISITORS_AT_A_TIME }, () => arriving(draw));
  const values: { readonly line: string }[] = [];
  const timestampsUs: number[] = [];
  let second = FIRST_SECOND;
  for (let index = 0; index < records; index += 1) {
    const isRush = index % LINES_PER_RUSH >= LINES_PER_RUSH - RUSH_LINES;
    second += isRush ? draw.choose(2) : draw.choose(7);
    const place = draw.choose(VISITORS_AT_A_TIME);
    const host = visitors[place] ?? arriving(draw);
    const line = lineOf(draw, { host, isRush, second });
    values.push({ line: draw.chance(1, 100) ? line.slice(0, draw.choose(line.length)) : line });
    timestampsUs.push(second * 1_000_000);
    if (draw.chance(1, REQUESTS_PER_VISIT)) visitors[place] = arriving(draw);
  }
  return { values, timestampsUs };
}

/** Every other visitor is one of the regulars. */
function arriving(draw: ChoiceSite): string {
  const host = draw.chance(1, 2) ? draw.choose(REGULARS) : REGULARS + draw.choose(HOSTS - REGULARS);
  return `10.0.${String(host >> 6)}.${String(host % 64)}`;
}

function lineOf(
  draw: ChoiceSite,
  { host, isRush, second }: { readonly host: string; readonly isRush: boolean; readonly second: number },
): string {
  const section = SECTIONS[draw.choose(isRush ? 2 : SECTIONS.length)] ?? 'shop';
  const isFailing = isRush && section === 'search' ? draw.chance(1, 3) : draw.chance(1, 60);
  const isMissing = !isFailing && draw.chance(1, 25);
  const status = isFailing ? 503 : isMissing ? 404 : 200;
  const bytes = status === 200 ? String(200 + draw.choose(40_000)) : '-';
  const began = second - draw.choose(REQUEST_SECONDS_MAX + 1);
  const method = section === 'cart' && draw.chance(1, 2) ? 'POST' : 'GET';
  const target = `/${section}/${String(draw.choose(30))}`;
  return `${host} - - [${clfTime(began)}] "${method} ${target} HTTP/1.1" ${String(status)} ${bytes}`;
}

/** `02/Mar/2026:08:00:00 +0000`. */
function clfTime(second: number): string {
  const days = Math.floor(second / 86_400);
  const { year, month, day } = civilFromDays(days);
  const [hours, minutes, seconds] = [3_600, 60, 1].map((unit) => Math.floor((second - days * 86_400) / unit) % 60);
  const clock = [hours, minutes, seconds].map((part) => String(part).padStart(2, '0')).join(':');
  return `${String(day).padStart(2, '0')}/${MONTHS[month - 1] ?? ''}/${String(year)}:${clock} +0000`;
}
