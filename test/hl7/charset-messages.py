"""Writes charset-messages.json: one message in each charset, encoded by Python's codecs and by iconv, never by this project.

    python3 test/hl7/charset-messages.py

Each row: what MSH-18 says, who encoded it, PID-5.1 and PID-5.2 as they must be read, the message in hex.
"""

import json
import pathlib
import subprocess


def python(codec):
    return codec, lambda text: text.encode(codec)


def iconv(name):
    run = ["iconv", "-f", "UTF-8", "-t", name]
    return "iconv " + name, lambda text: subprocess.run(run, input=text.encode(), capture_output=True, check=True).stdout


def designated(sequence, codec):
    """Each run of other letters behind its escape sequence, as DICOM's examples have it."""

    def encode(text):
        return b"".join(c.encode("ascii") if c < "\x80" else sequence + c.encode(codec) for c in text)

    return f"{codec} behind {sequence.hex()}", encode


def written(codec):
    """ISO-2022-JP with its escape sequences as HL7 2.5.1, 2.7.3 writes them."""

    def encode(text):
        bytes = text.encode(codec)
        for sequence, form in [(b"\x1b$B", rb"\M2442" + b"\\"), (b"\x1b$(D", rb"\M242844" + b"\\"), (b"\x1b(B", rb"\C2842" + b"\\")]:
            bytes = bytes.replace(sequence, form)
        return bytes

    return codec + " written", encode


def shifted(codec, sequence):
    """Seven bits: SO, the letters without their high bits, SI."""

    def encode(text):
        out, inside = sequence, False
        for c in text:
            if (c >= "\x80") != inside:
                inside = not inside
                out += b"\x0e" if inside else b"\x0f"
            out += bytes(b & 0x7F for b in c.encode(codec)) if inside else c.encode("ascii")
        return out + (b"\x0f" if inside else b"")

    return f"{codec} shifted", encode


def trails(codec, signs=b"|^~\\&", first=0x4E00, last=0x9FFF, many=6):
    """Characters whose second byte is a delimiter."""
    found = []
    for code in range(first, last):
        try:
            bytes = chr(code).encode(codec)
        except UnicodeEncodeError:
            continue
        if len(bytes) == 2 and bytes[1] in signs:
            found.append(chr(code))
    return "".join(found[:: max(1, len(found) // many)][:many])


def jis_trails(many=10):
    """Kanji of JIS X 0208 with a delimiter in either byte."""
    found = []
    for code in range(0x4E00, 0x9FFF):
        try:
            bytes = chr(code).encode("iso2022_jp")
        except UnicodeEncodeError:
            continue
        if any(b in b"|^~\\&" for b in bytes[3:5]):
            found.append(chr(code))
    return "".join(found[:: len(found) // many][:many])


kanji = "山田大宮" + jis_trails()
rows = [
    ("8859/1", python("iso8859-1"), "Müller", "Çelik"),
    ("8859/2", python("iso8859-2"), "Dvořák", "Růžena"),
    ("8859/2", python("iso8859-2"), "RŮŽEK", "PÓŁ"),
    ("8859/2", python("iso8859-2"), "Měšťan", ""),
    ("8859/3", python("iso8859-3"), "Ċaruana", "Ġorġ"),
    ("8859/4", python("iso8859-4"), "Bērziņš", "Ķ"),
    ("8859/5", python("iso8859-5"), "Иванова", "Юлия"),
    ("8859/5", python("iso8859-5"), "ЮН", "ЧЕ"),
    ("8859/6", python("iso8859-6"), "محمد", "علي"),
    ("8859/7", python("iso8859-7"), "Παπαδόπουλος", "Ξένη"),
    ("8859/8", python("iso8859-8"), "כהן", "שרה"),
    ("8859/9", python("iso8859-9"), "Yılmaz", "Gülşen"),
    ("ISO 8859-10", python("iso8859-10"), "Þórðarson", "Īsa"),
    ("ISO-8859-13", python("iso8859-13"), "Kazlauskienė", "Žydrė"),
    ("8859/14", python("iso8859-14"), "Ŵyn", "Siôn"),
    ("8859/15", python("iso8859-15"), "Œuvre", "Žan€"),
    ("8859/16", python("iso8859-16"), "Țepeș", "Ștefan"),
    ("TIS-620", python("tis_620"), "สมชาย", "ใจดี"),
    ("8859/11", iconv("ISO-8859-11"), "ยก", "เนต"),
    ("ISO IR166", python("tis_620"), "สุดา", "รักไทย"),
    ("WINDOWS-1250", python("cp1250"), "Žižka", "Šárka"),
    ("windows-1251", python("cp1251"), "Ёлкина", "Їжак"),
    ("CP1252", python("cp1252"), "Müller–Œ", "Zoë"),
    ("WINDOWS-1253", python("cp1253"), "Άννα", "Ώρα"),
    ("Windows 1254", python("cp1254"), "Şahin", "Işıl"),
    ("CP1255", python("cp1255"), "לוי", "רבקה"),
    ("CP1256", python("cp1256"), "فاطمة", "گلي"),
    ("CP1257", python("cp1257"), "Ķīlis", "Ģirts"),
    ("CP1258", python("cp1258"), "Trăn", "Đưc"),
    ("CP874", python("cp874"), "สมหญิง", "“ก”"),
    ("KOI8-R", python("koi8_r"), "Щукина", "Анна"),
    ("KOI8-U", python("koi8_u"), "Їжаченко", "Ґалина"),
    ("CP850", python("cp850"), "Groß", "Jörg"),
    ("UNICODE UTF-8", python("utf_8"), "Müller Дмитрий", "山田😀"),
    ("UTF-8", python("utf_8"), "Ñandú", "ก"),
    ("UNICODE", python("utf_8"), "Ñandú", "ก"),
    ("UNICODE UTF-16", python("utf_8"), "Ñandú", "ก"),
    ("", python("utf_8"), "Müller", "王"),
    ("GB 18030-2000", python("gb18030"), "王" + trails("gb18030"), "㐀ñ"),
    ("GBK", python("gbk"), "镕" + trails("gbk"), "小东"),
    ("GB2312", python("gb2312"), "王", "小东"),
    ("ISO IR58", designated(b"\x1b$)A", "gb2312"), "张", "小东"),
    ("ISO IR6~ISO IR58", shifted("gb2312", b"\x1b$)A"), "张", "小东"),
    ("BIG-5", python("big5"), "許" + trails("big5"), "功育"),
    ("CNS 11643-1992", iconv("EUC-TW"), "王蓋", "小明龘"),
    ("KS X 1001", python("euc_kr"), "김", "희중"),
    ("KS C 5601", python("euc_kr"), "이", "영애"),
    ("CP949", python("cp949"), "똠", "뷁"),
    ("ISO IR149", designated(b"\x1b$)C", "euc_kr"), "김", "희중"),
    ("ISO 2022 IR 6~ISO 2022 IR 149", designated(b"\x1b$)C", "euc_kr"), "Hong=洪", "吉洞=길동"),
    ("ISO IR6~ISO IR87", python("iso2022_jp"), kanji, "太郎"),
    ("~ISO IR87", python("iso2022_jp"), kanji, "花子"),
    ("ISO IR87", iconv("ISO-2022-JP"), "山田", "太郎"),
    ("JIS X 0202", python("iso2022_jp"), "山田", "太郎"),
    ("ISO IR6~ISO IR87~ISO IR159", python("iso2022_jp_1"), "丂侚", "山" + kanji),
    ("ISO IR159", python("iso2022_jp_1"), "丂", "侚"),
    ("ISO IR6~ISO IR87", written("iso2022_jp"), "山田大宮", "太郎"),
    ("ISO IR6~ISO IR87~ISO IR159", written("iso2022_jp_1"), "丂侚", "山"),
    ("ISO IR14~ISO IR87", python("iso2022_jp_ext"), "ﾔﾏﾀﾞ", "山田"),
    ("ISO IR14", python("shift_jis"), "ﾔﾏﾀﾞ", "ﾀﾛｳ"),
    ("ISO IR13", python("shift_jis"), "ｽｽﾞｷ", "ﾊﾅｺ"),
    ("ISO IR6~ISO IR87", python("iso2022_jp_2"), "山田", "王"),
    ("Shift_JIS", python("shift_jis"), "表" + trails("shift_jis"), "ソポ"),
    ("EUC-JP", python("euc_jp"), "山田", "太郎"),
    ("8859/1~ISO IR87", designated(b"\x1b-A", "iso8859-1"), "Jörg", "Zoë"),
    ("8859/1~8859/7", designated(b"\x1b-F", "iso8859-7"), "Διονυσιος", ""),
    ("~ISO IR144", designated(b"\x1b-L", "iso8859-5"), "Люкceмбypг", ""),
    ("ASCII", python("ascii"), "Doe", "Jane"),
]

out = []
for declared, (codec, encode), family, given in rows:
    header = rf"MSH|^~\&|RIS|HOSP|W|RAD|20260301093000||ORM^O01|C1|P|2.5.1||||||{declared}" + "\r"
    pid = b"PID|1||4711||" + encode(family) + b"^" + encode(given) + b"|F\rORC|NW|P1\r"
    out.append({"declared": declared, "encoder": codec, "family": family, "given": given, "hex": (header.encode("ascii") + pid).hex()})

path = pathlib.Path(__file__).with_suffix(".json")
path.write_text("[\n" + ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in out) + "\n]\n")
