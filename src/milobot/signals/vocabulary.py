"""What words mean to the reader: fields, sides, fillers. One table for each, six languages."""

# ruff: noqa: RUF001 - other alphabets are what this file is about

from enum import StrEnum


class Meaning(StrEnum):
    """What a word or phrase does in a message."""

    __hash__ = str.__hash__

    ENTRY = "entry"
    STOP = "stop"
    TARGET = "targets"
    LEVERAGE = "leverage"
    RISK = "risk"
    FUNDS = "funds"
    AMOUNT = "amount"
    QUANTITY = "quantity"
    OTHER = "other"
    """A label whose numbers are none of ours: risk level, ratio, period, current price."""
    REST = "rest"
    """A label after which nothing counts: how another bot is set."""
    SYMBOL = "symbol"
    DIRECTION = "direction"
    TERM = "term"
    LONG = "long"
    SHORT = "short"
    BUY = "buy"
    SELL = "sell"
    CROSS = "cross"
    ISOLATED = "isolated"
    MARKET = "market"
    BELOW = "below"
    ABOVE = "above"
    ON_CLOSE = "on close"
    TO = "to"
    NONE = "none"
    """There is none, or not yet."""
    FILLER = "filler"
    UNDER_WAY = "under way"
    """The trade runs already, or the message tells of it once more."""
    NEGATION = "negation"
    GAIN = "gain"
    STOP_ORDER = "stop order"
    """An entry by a stop order, a form that is not read."""
    RESULT = "result"
    CONDITION = "condition"
    STALE = "stale"
    CANCEL = "cancel"
    CLOSE = "close"
    MOVE = "move"
    EVEN = "break-even"
    ALL = "all"
    HALF = "half"
    PLEASANTRY = "pleasantry"


TABLE: dict[Meaning, str] = {
    Meaning.ENTRY: """
        entry, entries, entry price, entry zone, entry zones, entry point, entry points,
        entry target, entry targets, entry area, entry range, entry level, entry levels, enter,
        entering, re entry, get in, open price, opening price, dca, limit order, вход, входа, входы, точка входа, точки входа, зона входа, диапазон входа,
        цена входа, входим, вход в сделку, вхід, усреднение, добор, твх,
        ورود, نقطه ورود, نقاط ورود, محدوده ورود, قیمت ورود, منطقه ورود, در نقطه, در نقاط,
        نقطه, نقاط, einstieg, einstiege, einstiegspreis, einstiegszone, eingang,
        entrada, entradas, zona de entrada, precio de entrada, punto de entrada, giris, giris fiyati, giris bolgesi,
        giris seviyesi, entree, zone d'entree
    """,
    Meaning.STOP: """
        stop, stops, sl, stoploss, stop loss, stop target, stop targets, stop price, stop level,
        s l, stop limit, hard stop, invalidation, invalidation level, invalid level, sl price,
        стоп, стоп лосс, стоплосс, стоп лос, сл, инвалид, инвалидация, инвалидации, стоп цена,
        стоп приказ, استاپ, استاپ لاس, استاپ لاس, حد ضرر, حدضرر, stopp, verlustbegrenzung,
        stop de perdida, stop de perdidas, perdida, zarar durdur, zarar kes, zarar, stop noktasi,
        zarar durdurma
    """,
    Meaning.TARGET: """
        target, targets, tp, tps, t, tgt, tgts, t p, take profit, take profits, takeprofit,
        takeprofits, take profit target, take profit targets, profit target, profit targets,
        target price, target prices, target zone, targets zone, exit, exits, exit target,
        exit targets, exit price, exit zone, sell target, sell targets, selling target,
        selling targets, buy back targets, short term target, short term targets,
        mid term target, mid term targets, long term target, long term targets,
        goal, goals, objective, objectives, тейк, тейки, тейков, тейк профит, тейк профиты, тейкпрофит, тп, цель,
        цели, целям, таргет, таргеты, تارگت, تارگت ها, تارگتها, هدف, اهداف, حد سود, حدسود, تی پی,
        ziel, ziele, kursziel, kursziele, gewinnziel, gewinnziele, objetivo, objetivos,
        toma de ganancias, toma de ganancia, toma de beneficios, hedef, hedefler, kar al,
        kar alim, hedef fiyat, objectif, objectifs
    """,
    Meaning.LEVERAGE: """
        leverage, lev, lever, levrage, levarage, laverage, leverge, leverag, плечо, плеча, плечом,
        кредитное плечо, اهرم, لوریج, لوریج, hebel, apalancamiento, kaldirac, levier
    """,
    Meaning.RISK: """
        risk, risk per trade, risk percent, max risk, риск, риск в сделке, риск на сделку, ریسک,
        risiko, riesgo, risque
    """,
    Meaning.FUNDS: """
        fund, funds, capital, capital invested, balance, account, wallet, portfolio, deposit,
        equity, bankroll, депозит, депозита, депо, баланс, баланса, капитал, капитала, سرمایه,
        kapital, konto, cuenta, saldo, bakiye, kasa, total funds, total account, total balance,
        of funds, trading capital
    """,
    Meaning.AMOUNT: """
        amount, order size, position size, notional, сумма, объем, مقدار, betrag, cantidad, monto,
        tutar
    """,
    Meaning.QUANTITY: "quantity, qty, количество, lots, lot, лот, menge, miktar",
    Meaning.OTHER: """
        risk level, risk reward, risk reward ratio, risk ratio, reward risk, r r, rr, rrr, rr ratio,
        reward, ratio, signal id, id, signal no, signal, ote, period, duration, timeframe,
        time frame, tf, time, current price, price now,
        mark price, last price, support, resistance, accuracy, volume, date, client, exchange,
        exchanges, winrate, win rate, loss, losses, market cap, rsi, margin, маржа, поддержка, сопротивление, текущая цена, таймфрейм, тф, حمایت, مقاومت, destek, direnc, support level, resistance level, high, low, ath, atl,
        posted, published, setup, set up, trade setup, confidence, score, rating, vip, day, week,
        trailing, trailing stop, trailing stops, trailing sl, trailing stop loss, trailing stoploss,
        трейлинг, трейлинг стоп
    """,
    Meaning.REST: "trailing configuration, trailing config, dca configuration, bot configuration",
    Meaning.SYMBOL: """
        coin, pair, symbol, ticker, asset, name, market pair, trading pair, coin name, монета,
        пара, тикер, инструмент, актив, رمزارز, رمز ارز, ارز, جفت ارز, نماد, munze, wahrung, moneda, par,
        parite, sembol, paire
    """,
    Meaning.DIRECTION: """
        direction, position, side, trade type, signal type, order type, trade, type, bias, action,
        направление, позиция, сделка, тип, پوزیشن, موقعیت, جهت, richtung, direccion, yon, islem
    """,
    Meaning.TERM: """
        short term, mid term, midterm, long term, longterm, shortterm, medium term, short mid term,
        short squeeze, long squeeze, short liquidation, long liquidation, short time, long time,
        short period, long period, short run, long run, as long as, so long, how long, before long, no longer,
        in short, shortly, краткосрок, среднесрок
    """,
    Meaning.LONG: "long, longing, лонг, лонга, لانگ, uzun",
    Meaning.SHORT: "short, shorting, шорт, шорта, شورت, kisa",
    Meaning.BUY: """
        buy, buying, buy zone, buying zone, buy area, buy range, buy price, buy level,
        buy levels, buying range, buy in, buy setup, buy set up, buy limit, limit buy, kaufzone,
        kaufpreis, kaufbereich, zona de compra, precio de compra, alim bolgesi, alis bolgesi, alim,
        alis, купить, покупка, покупаем, покупаю, خرید, بخرید, kaufen, kauf, compra,
        comprar, satin al, achat, acheter
    """,
    Meaning.SELL: """
        sell, selling, sell zone, selling zone, sell price, sell setup, sell set up, sell limit,
        limit sell, продать, продажа, продаем, продаю, فروش, بفروشید,
        verkaufen, verkauf, venta, vender, satis, vente, vendre
    """,
    Meaning.CROSS: "cross, crossed, cross margin, кросс, кросс маржа, کراس, cruzado, capraz",
    Meaning.ISOLATED: """
        isolated, isolate, isolated margin, изолированная, изолированной, изолированный, изолир, ایزوله,
        isoliert, aislado, izole
    """,
    Meaning.MARKET: """
        now, market, cmp, market price, at market, by market, market order, current market price,
        по рынку, рынок, с рынка, по маркету, маркет, сейчас, по текущим, текущая, مارکت, الان, قیمت فعلی,
        mercado, a mercado, precio de mercado, markt, marktpreis, jetzt, piyasa,
        piyasa fiyati, simdi, ahora
    """,
    Meaning.BELOW: """
        below, under, less than, max, maximum, up to, upto, ниже, под, زیر, unter, unterhalb,
        debajo, por debajo de, altinda, not above
    """,
    Meaning.ABOVE: """
        above, over, break, breaks, breakout, on breakout of, on break of, выше, над, пробой,
        после пробоя, بالای, uber, oberhalb, encima, por encima de, arriba, ustunde, uzerinde
    """,
    Meaning.ON_CLOSE: """
        close above, close below, close under, close over, closes below, closes above, closing below,
        closing above, candle close, candle closes, candle closing, candle close below,
        candle close above, candle close under, daily close, daily close below, daily close above,
        hourly close, weekly close, закрытие выше, закрытие ниже, закрепление, закрепление ниже,
        закрепление выше, закрытие свечи, close, closes, closing
    """,
    Meaning.TO: "to, and, до, и, bis, und, hasta, y, و, تا, a, ile, ve, or, или, oder, o, veya, et",
    Meaning.NEGATION: """
        not, do not, don t, dont, never, cancel, cancelled, canceled, cancelling, ignore, skip,
        avoid, void, invalid, invalidated, отмена, отменяем, отменен, отменена, отменено, не, لغو,
        کنسل, نکنید, nicht, storniert, cancelado, cancelada, iptal, degil
    """,
    Meaning.UNDER_WAY: """
        entered, have entered, opened, bought, sold, filled, triggered, activated, running, reminder,
        i m long, i m short, i am long, i am short, im long, im short, we are long, we are short,
        we re long, we re short, still long, still short, already long, already short, stay long,
        stay short, recap, example, for example, paper trade, paper trading, demo trade, demo, hypothetical,
        simulation, backtest, yesterday, last week, пример, вчера, beispiel, gestern, ejemplo, ayer,
        ornek, dun, still open, still valid, still active, still holding, still running, i am in,
        i m in, we are in, update on, update for, signal update, trade update, in profit, in the money, already in, got in, вошел, вошли, вошла, зашел,
        зашли, открыл, открыли, открыта, набрал, набрали, напоминаю, напоминание, eroffnet, abierta,
        abierto, acildi, girdik, girdim
    """,
    Meaning.STOP_ORDER: """
        buy stop, stop buy, sell stop, stop sell, buy stop limit, sell stop limit, stop limit buy,
        stop limit sell
    """,
    Meaning.GAIN: """
        profit, profits, gain, gains, pnl, roi, roe, прибыль, прибыли, профит, профита, سود, gewinn,
        beneficio, ganancia, kazanc
    """,
    Meaning.NONE: """
        none, no, without, open, tba, later, soon, update, updated, hold, moon, n a, нет, без,
        позже, ندارد, بعدا, kein, keine, ohne, sin, yok, pending, your choice
    """,
    Meaning.FILLER: """
        at, around, near, is, are, be, can, between, from, use, must, only, if, when, of, approx,
        about, set, put, in, on, the, price, prices, zone, area, range, level, levels, point,
        points, usdt, usd, dollar, dollars, first, second, third, fourth, then, each, of profit,
        of position, approximately, limit, order, orders, with, my, our, your, for, as, it, this,
        trade, hr, hrs, hour, hours, candle, some, scalp, swing, position, a position, open a,
        в, на, по, от, около, цена, цены, примерно, зона, диапазон, за, с, позиция, позицию, сделку,
        در, از, به, قیمت, محدوده, باز کنید, کنید, حدود, را, zwischen, von, bei, im, auf, um, ca, etwa,
        der, die, das, preis, en, de, entre, el, la, los, las, del, precio, alrededor,
        fiyat, fiyati, seviye, seviyesi, arasi, bolgesi, new, signal for, coin for, into, perp, perpetual, futures,
        not financial advice, not a financial advice, not more than, do not risk, do not forget,
        don t forget, do not use, don t use, do not miss, don t miss, do not exceed, не более,
        не больше, не является
    """,
    Meaning.RESULT: """
        hit, hits, hitted, reached, achieved, done, destroyed, smashed, completed, complete,
        crushed, booked, stopped out, secured, closed, taken, взят, взяли, взята, закрыли, закрыт,
        закрыта, достигнут, достигнута, достигнуты, выполнен, выполнена, выполнены, сработал,
        сняли, خورد, رسید, زده شد, erreicht, getroffen, alcanzado, alcanzada, alcanzados,
        geldi, ulasti, vuruldu, entered entry zone
    """,
    Meaning.CONDITION: """
        if, when, once, after, until, unless, before, whenever, at each, as soon as, should, will, while,
        когда, если, после, как только, пока, اگر, وقتی, بعد از, wenn, falls, nach, sobald, si,
        cuando, despues, eger, olunca, sonra, until it, in case, potential, expected, possible,
        estimated, wait for, waiting for, потенциал, возможно, ждем
    """,
    Meaning.STALE: """
        previous, prev, last, old, missed, earlier, former, was, were, moved, changed, предыдущий,
        предыдущая, прошлый, был, была, قبلی, vorheriger, anterior, onceki
    """,
}
"""Each phrase in the spelling of people; the reader folds them as it folds a message."""

COMMANDS: dict[Meaning, str] = {
    Meaning.CANCEL: """
        cancel, cancel order, cancel orders, cancel signal, cancel trade, cancel setup, cancelled,
        canceled, delete order, delete orders, remove order, remove orders, отмена, отменить,
        отменяем, отмена ордера, отменяем ордер, снимаем ордер, снять ордер, لغو, کنسل,
        stornieren, abbrechen, cancelar, cancela, iptal, iptal et
    """,
    Meaning.CLOSE: """
        close, closing, close position, exit now, exit position, exit trade, exit market,
        close trade, закрыть, закрываем, закрываю, закрывайте, закройте, закрой, закрываем сделку,
        закрыть позицию, بستن, ببندید, پوزیشن را ببندید, schliessen, position schliessen, cerrar, cierra, kapat,
        kapatin, pozisyonu kapat
    """,
    Meaning.MOVE: """
        move, moving, moved, set, put, shift, raise, trail, change, update, adjust, bring, new, переносим,
        перенос, перенести, переставляем, переставить, двигаем, ставим, новый, новые, меняем, изменить, انتقال, منتقل,
        verschieben, setze, setzen, neuer, neue, mover, mueve, nuevo, nuevos, cek, tasi, yeni
    """,
    Meaning.EVEN: """
        entry, entry price, breakeven, break even, be, b e, bep, open price, cost, entry point,
        the entry, your entry, б у, бу, безубыток, точку входа, вход, уровень входа, ورود, نقطه ورود,
        einstieg, einstand, entrada, giris, giris seviyesi, break even point
    """,
    Meaning.STOP: """
        stop, sl, stoploss, stop loss, stops, s l, стоп, сл, стоп лосс, стоплосс, стопы, استاپ, حد ضرر, stopp
    """,
    Meaning.TARGET: """
        target, targets, tp, tps, take profit, take profits, тейк, тейки, цель, цели, таргет,
        таргеты, تارگت, تارگت ها, هدف, ziel, ziele, objetivo, objetivos, hedef, hedefler
    """,
    Meaning.ALL: """
        all, all positions, all trades, all orders, everything, full, fully, все, все позиции, полностью, все ордера,
        همه, alle, alles, todo, todas, todos, hepsi, tamamini
    """,
    Meaning.HALF: """
        half, half position, half of position, half of the position, половину, половина, половину позиции,
        نصف, нижнюю половину, halfte, mitad, la mitad, yarisi, yarisini, yarim
    """,
    Meaning.MARKET: "now, market, at market, market price, по рынку, сейчас, jetzt, ahora, simdi, الان",
    Meaning.TO: "to, at, на, в, до, auf, a, به, zu, e",
    Meaning.LONG: "long, лонг, لانگ",
    Meaning.SHORT: "short, шорт, شورت",
    Meaning.PLEASANTRY: """
        please, pls, guys, the, your, my, position, positions, trade, trades, order, orders, here, we, i, it, this,
        of, profit, profits, is, with, by, for, in, leaving, leave, and, immediately, asap, manually, signal, setup,
        loss, price, limit, remaining, rest, пожалуйста, ребята, позицию, позиции, сделку, ордер, можете, можно,
        часть, зафиксировать, фиксируем, прибыль, взяли, взят, ордера, теперь, и, с, по, первый, position, die, den, bitte, ist, la, el, por favor, را, لطفا, lutfen
    """,
}
"""Phrases of messages that change what is there already; other words make them chat."""
