import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

/** Pixels from the end within which a person counts as reading the end. */
const NEAR = 48;

interface FollowEnd {
  scroller: RefObject<HTMLDivElement | null>;
  content: RefObject<HTMLDivElement | null>;
  atEnd: boolean;
  toEnd: () => void;
}

/**
 * Keep the end in view while it grows, but only while the person is there: scrolling up lets go of it, however little,
 * and coming back near it takes it up. `subject` is what is read; another one starts at its end.
 */
export function useFollowEnd(subject: string): FollowEnd {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const [seen, setSeen] = useState({ subject, atEnd: true });

  const toEnd = useCallback(() => {
    following.current = true;
    const element = scroller.current;
    if (element) element.scrollTop = element.scrollHeight;
  }, []);

  useLayoutEffect(toEnd, [subject, toEnd]);

  useEffect(() => {
    const element = scroller.current;
    const inner = content.current;
    if (!element || !inner) return;
    let last = 0;
    let height = 0;
    const note = (): void => {
      last = element.scrollTop;
      height = element.scrollHeight;
    };
    note();
    const onScroll = (): void => {
      const distance = element.scrollHeight - element.clientHeight - element.scrollTop;
      const moved = element.scrollTop - last;
      const grown = element.scrollHeight - height;
      // A page that is laid out anew moves by itself, and one in a taller window does too, but not away from its end.
      if (moved < 0 && grown === 0 && distance > 1) following.current = false;
      else if ((moved > 0 || grown < 0) && distance <= NEAR) following.current = true;
      note();
      setSeen((now) => {
        const atEnd = following.current;
        return now.subject === subject && now.atEnd === atEnd ? now : { subject, atEnd };
      });
    };
    const onWheel = ({ deltaY }: WheelEvent): void => {
      // Let go at once: between the wheel and its scroll event a word may arrive and pull back.
      if (deltaY < 0 && element.scrollHeight > element.clientHeight) following.current = false;
    };
    const observer = new ResizeObserver(() => {
      if (!following.current) return;
      element.scrollTop = element.scrollHeight;
      note(); // the event that this makes must not count as a person's
    });
    observer.observe(inner);
    observer.observe(element);
    element.addEventListener("scroll", onScroll, { passive: true });
    element.addEventListener("wheel", onWheel, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", onScroll);
      element.removeEventListener("wheel", onWheel);
    };
  }, [subject]);

  return { scroller, content, atEnd: seen.subject !== subject || seen.atEnd, toEnd };
}
