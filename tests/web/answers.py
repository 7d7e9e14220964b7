"""Answers that show what the renderer can do."""

RICH = """\
# Seven days

これは**「強調」**と*傍点*です。See [the site](https://example.com/page) and `inline code`.

1. First
   - nested
   - [x] done
2. Second

> A quotation

| Day | 曜日 | Hours |
|:----|:---:|------:|
| 1 | 月 | 24 |
| 7 | 日 | 168 |

```python
def days(hours: int) -> float:
    return hours / 24  # exactly
```

Mass is energy: $E = mc^2$, and

$$
\\int_0^7 t\\,dt = \\frac{49}{2}
$$

```mermaid
flowchart LR
  A[質問] --> B{Seven days?}
  B -->|no| C[Answer]
  B -->|yes| D[Forget]
```

The end of it.
"""

_FORMULA = " + ".join(f"x_{{{number}}}^{{2}}" for number in range(60))
_ROW = "|".join(["", *["a-long-cell"] * 20, ""])
_LINE = "|".join(["", *["---"] * 20, ""])

WIDE = "\n\n".join([f"$$\n{_FORMULA}\n$$", f"{_ROW}\n{_LINE}\n{_ROW}", f"```text\n{'a long line ' * 40}\n```"] * 2)
"""Two of everything that is too wide for any page."""

DANGEROUS = """\
<img src="https://elsewhere.example/x.png" onerror="document.title='broken'">
<script>document.title = "broken"</script>
<style>body { display: none }</style>
[run](javascript:document.title='broken') [data](data:text/html,x) [relative](/api/auth/logout)
![picture](https://elsewhere.example/picture.png)
<iframe src="https://elsewhere.example/"></iframe>

```mermaid
flowchart LR
  A["<img src=https://elsewhere.example/m.png onerror=document.title='broken'>"] --> B
  click A "javascript:document.title='broken'"
```

```mermaid
flowchart LR
  A@{ img: "https://elsewhere.example/n.png", label: "x" } --> B
```

$\\href{javascript:alert(1)}{x} \\includegraphics{https://elsewhere.example/t.png}$

The end of it.
"""

LONG_CODE = (
    "Here it is:\n\n```typescript\n"
    + "".join(
        f"export function step{number}(value: number): string {{\n"
        f"  // Number {number} of many, in a line that must be scrolled sideways{' and goes on' * 6}.\n"
        f"  return `${{value * {number}}} days`;\n}}\n\n"
        for number in range(25)
    )
    + "```\n"
)
