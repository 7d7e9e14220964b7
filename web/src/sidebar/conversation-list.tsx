import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { ConversationSummary } from "@/api/types";
import { type Dictionary, useWords } from "@/i18n";
import { dayText } from "@/i18n/dates";
import { Button } from "@/shared/button";
import { focusSoon } from "@/shared/focus";
import { useStore } from "@/shared/store";
import { useNow } from "@/shared/use-now";
import { place } from "@/shell/location";
import { type Language, language } from "@/shell/preferences";
import { type List, list, loadMore, refresh } from "./list";
import { Row } from "./row";

/** The conversations by day, with more of them as one scrolls. */
export function ConversationList() {
  const words = useWords();
  const now = useNow();
  const inLanguage = useStore(language);
  const here = useStore(place);
  const { status, items, cursor, loadingMore, q } = useStore(list);
  const days = useMemo(() => byDay(items, now, inLanguage, words), [items, now, inLanguage, words]);

  return (
    <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-3 pb-3" tabIndex={-1}>
      <p role="status" className="sr-only">
        {q !== "" && status === "ready" ? words.sidebar.found(items.length) : ""}
      </p>
      {days.map(({ day, conversations }) => (
        <section key={day} aria-label={day}>
          <h2 className="px-2.5 pt-4 pb-1 text-xs font-medium text-soft">{day}</h2>
          <ul>
            {conversations.map((conversation) => (
              <Row key={conversation.id} conversation={conversation} current={conversation.id === here} now={now} />
            ))}
          </ul>
        </section>
      ))}
      {(items.length === 0 || status === "failed") && <Nothing status={status} q={q} />}
      {cursor !== null && <More cursor={cursor} loading={loadingMore} count={items.length} />}
    </div>
  );
}

interface Day {
  day: string;
  conversations: ConversationSummary[];
}

function byDay(items: readonly ConversationSummary[], now: number, inLanguage: Language, words: Dictionary): Day[] {
  const days = Map.groupBy(items, ({ updated_at }) => dayText(updated_at, now, inLanguage, words));
  return [...days].map(([day, conversations]) => ({ day, conversations }));
}

/** What stands in an empty list, and why it is empty. */
function Nothing({ status, q }: { status: List["status"]; q: string }) {
  const words = useWords();
  const slow = useSlow(status === "loading");
  if (status === "failed") {
    return (
      <div className="px-2.5 pt-6 text-sm text-soft">
        <p role="alert" className="pb-3">
          {words.sidebar.failed}
        </p>
        <Button onClick={() => void refresh()}>{words.message.retry}</Button>
      </div>
    );
  }
  if (status === "loading") {
    return <p className="px-2.5 pt-6 text-sm text-soft">{slow ? words.sidebar.waking : ""}</p>;
  }
  return (
    <p className="px-2.5 pt-6 text-sm leading-6 text-soft">
      {q === "" ? words.sidebar.empty : words.sidebar.nothingFound(q)}
    </p>
  );
}

/** Whether `busy` has lasted so long that a function must be starting. */
function useSlow(busy: boolean): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!busy) return;
    const timer = setTimeout(() => setSlow(true), 1500);
    return () => {
      clearTimeout(timer);
      setSlow(false);
    };
  }, [busy]);
  return slow;
}

interface MoreProps {
  cursor: string;
  loading: boolean;
  /** How many conversations stand before it. */
  count: number;
}

/** The end of the list: loads what comes after it when it comes into view, or when it is pressed. */
function More({ cursor, loading, count }: MoreProps) {
  const words = useWords();
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!end.current) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) void loadMore();
      },
      { rootMargin: "300px" },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [cursor]);
  useLayoutEffect(() => {
    const box = end.current;
    const list = box?.parentElement;
    return () => {
      // More has come, perhaps all of it: who was here goes on with the first of what is new.
      if (box?.contains(document.activeElement)) focusSoon(() => list?.querySelectorAll<HTMLElement>("li a")[count]);
    };
  }, [count]);
  return (
    <div ref={end} className="pt-3 text-center">
      <Button aria-disabled={loading} onClick={() => void loadMore()}>
        {words.sidebar.more}
      </Button>
    </div>
  );
}
