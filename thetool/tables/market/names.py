"""What columns of prices are called: in several languages, at data sellers and exchanges, in trading programs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

from thetool.tables.market.options import Role

_NAMES: dict[Role, str] = {
    "date": """
        date datetime timestamp datum fecha data fecha_hora datumzeit datumuhrzeit tradedate tradingdate day tag dia
        jour giorno dzien dagen dag den datumcas dátum tarih дата datatime tstamp opentime dateutc utc unix unixtime
        epoch time zeit hora heure ora czas ts traddt biz_dt quotedate pricedate 日期 時間 时间 日付 날짜 交易日期
        period datetimeutc gmttime localtime begin dt dtyyyymmdd
    """,
    "time": "time uhrzeit zeit hora heure ora czas čas saat время 时间 時間 시간 tid hour",
    "open": """
        open openprice opening openingprice o eroffnung eroffnungskurs eröffnung eröffnungskurs erster start abertura
        apertura ouverture premier openingskoers openen otwarcie otwarcia oppning öppning öppningskurs abertura açılış
        acilis otevreni otevření otvaracia nyitó nyito открытие открыть откр opn opnpric precioapertura kursotwarcia
        开盘 開盤 开盘价 開盤價 始値 시가 priceopen openbid bidopen 1open
    """,
    "high": """
        high highprice hi h max maximum hoch höchst hochst hoechst tageshoch höchstkurs hochstkurs tageshochst alto
        maximo máximo massimo haut plushaut hoog hoogste najwyzszy najwyższy högst hogst högsta yuksek yüksek nejvyssi
        nejvyšší максимум макс maks max_ hghpric kursmax maxima 最高 最高价 最高價 高値 고가 pricehigh highbid bidhigh
        2high dayhigh highestprice
    """,
    "low": """
        low lowprice lo l min minimum tief tiefst tagestief tiefstkurs niedrig bajo baixo minimo mínimo basso bas
        plusbas laag laagste najnizszy najniższy lägst lagst lägsta dusuk düşük nejnizsi nejnižší минимум мин lwpric
        kursmin
        minima 最低 最低价 最低價 安値 저가 pricelow lowbid bidlow 3low daylow lowestprice
    """,
    "close": """
        close closeprice closing closingprice c schluss schlusskurs schlußkurs schluß letzter kurs cierre ultimo
        último
        fechamento chiusura cloture clôture fermeture dernier slotkoers slot sluiten zamkniecie zamknięcie zamkniecia
        stängning senast stangning kapanış kapanis şimdi zaviraci závěr zaver záró zaro закрытие закр цена clspric
        kurszamkniecia closelast last lastprice closebid bidclose 收盘 收盤 收盘价 收盤價 終値 종가 4close price preis
        precio prezzo prix preço cours koers cena priceclose settle settlement ltp lasttradedprice
    """,
    "adjusted_close": """
        adjclose adjustedclose adjcloseprice closeadjusted closeadj adjustedclosingprice 5adjustedclose
        bereinigterschlusskurs cierreajustado fechamentoajustado coursajuste clotureajustee adjusted adj
        复权收盘价 調整後終値 调整后收盘价
    """,
    "volume": """
        stucke stück stücke stuecke volume vol v volumen handelsvolumen volumn volumes volym wolumen hacim objem объем
        объём forgalom volumetraded tottrdqty ttltradgvol quantity tradedquantity sharestraded totaltradedquantity
        volumeshares realvolume tickvol tickvolume 6volume 5volume 成交量 出来高 거래량 dagvolume umsatz volumebase
        basevolume
    """,
    "symbol": """
        symbol ticker tic tickr isin instrument security securityname asset pair stock stockname stocksymbol tckrsymb
        wkn aktie titel valor simbolo símbolo symbole ativo acao titolo tickersymbol code secid figi coin
        currencypair sigle waarde instrumentid contract name company kod тикер инструмент 代码 股票代码 銘柄 papel
        codneg
        종목코드 종목 銘柄コード
    """,
}


def plain(name: str) -> str:
    """The name's letters and digits in small: `<CLOSE>`, `Close*` and `close` are one."""
    letters = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\W_]+", "", letters)


WORDS: dict[Role, tuple[str, ...]] = {
    role: tuple(plain(word) for word in said.split()) for role, said in _NAMES.items()
}
"""By role the names that it goes by, the likeliest first."""

_STANDS_FOR_ITSELF = re.compile(r"(column|col|field|unnamed|spalte|var|f|c|x)?\d+|")


def by_word(names: Sequence[str]) -> dict[str, list[str]]:
    """The columns by what they are called, as `plain` has it, with and without a unit; in the file's order."""
    found: dict[str, list[str]] = {}
    for name in names:
        for word in {plain(name), _without_unit(name)}:
            found.setdefault(word, []).append(name)
    return found


def named(columns: Mapping[str, Sequence[str]], role: Role, taken: Collection[str]) -> list[str]:
    """The columns that are called so, of those not taken; the likeliest name first, then the first in the file."""
    fitting = (name for word in WORDS[role] for name in columns.get(word, ()) if name not in taken)
    return list(dict.fromkeys(fitting))


def unnamed(names: Sequence[str]) -> bool:
    """Whether the names are no more than numbers, as where a file has no header: `column_1`, `f3`, `102.5`."""
    return all(_STANDS_FOR_ITSELF.fullmatch(plain(name)) or _number(name) for name in names)


def _without_unit(name: str) -> str:
    """Without what stands in brackets or behind a blank of a volume: `Open (USD)`, `Volume BTC`."""
    return plain(re.sub(r"\(.*\)|\[.*\]|(?<=^volume) .*", "", name.strip(), flags=re.IGNORECASE))


def _number(name: str) -> bool:
    return bool(re.fullmatch(r"[-+\d.,:/ ]+", name.strip()))
