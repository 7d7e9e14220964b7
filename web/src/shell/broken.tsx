import { useWords } from "@/i18n";
import { Button } from "@/shared/button";
import { Center } from "@/shared/center";

/** What is left when a part of the page threw: nothing a person wrote is lost by loading it again. */
export default function Broken() {
  const words = useWords();
  return (
    <main className="flex min-h-dvh flex-col">
      <Center title={words.problem.page} note={words.problem.pageNote}>
        <Button kind="primary" onClick={() => location.reload()}>
          {words.problem.reload}
        </Button>
      </Center>
    </main>
  );
}
