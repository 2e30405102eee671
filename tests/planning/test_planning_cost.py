"""Money, days and energy of a plan."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw.errors import InputError
from bootlaw.planning.cost import (
    HARDWARE,
    Hardware,
    ModelShape,
    cost_of_flops,
    flops_basis,
    flops_of,
    hardware,
    inference_cost,
    read_hardware,
    training_cost,
)

OWN = Hardware("own", 1e15, mfu=0.5, price=2.0, watts=500.0, devices=10)
TINY = ModelShape(2, 64, 128, 4, 4, 16, 1000, sequence_length=128)


def test_costs_by_hand():
    cost = training_cost(1e12, 1e9, OWN)  # 6e21 FLOPs at 1.8e18 per device-hour
    assert float(cost.flops) == 6e21
    assert float(cost.device_hours) == pytest.approx(6e21 / 1.8e18)
    assert float(cost.days) == pytest.approx(6e21 / 1.8e18 / 240)
    assert float(cost.money) == pytest.approx(2 * 6e21 / 1.8e18)
    assert float(cost.kwh) == pytest.approx(0.5 * 6e21 / 1.8e18)


def test_overhead_is_paid_on_top():
    more = training_cost(1e12, 1e9, OWN.with_options(overhead=0.25))
    assert float(more.money) == pytest.approx(1.25 * float(training_cost(1e12, 1e9, OWN).money))
    assert float(more.flops) == 6e21


def test_a_shape_counts_more_than_6_n_and_both_say_what_they_are():
    assert float(training_cost(1e6, TINY).flops) == pytest.approx(1e6 * TINY.flops_per_token)
    assert float(training_cost(1e6, TINY.params).flops) == pytest.approx(6e6 * TINY.params)
    assert "6 N" in flops_basis(TINY.params)
    assert "model's shape" in flops_basis(TINY)


def test_serving_costs_the_forward_pass():
    assert float(inference_cost(1e12, 1e9).flops) == pytest.approx(2e21)


def test_costs_are_vectorised_over_plans():
    tokens = np.array([[1e9], [1e10]])
    costs = training_cost(tokens, np.array([1e8, 1e9, 1e10]), OWN)
    assert costs.money.shape == (2, 3)
    assert float(costs[1, 2].money) == pytest.approx(float(training_cost(1e10, 1e10, OWN).money))


def test_without_hardware_only_flops_are_known():
    cost = training_cost(1e9, 1e9)
    assert cost.money is None
    assert cost.to_json()["days"] is None
    assert str(cost) == "6e+18 FLOPs"


def test_unknown_power_or_price_stays_unknown():
    cost = cost_of_flops(1e20, Hardware("own", 1e15))
    assert cost.money is None
    assert cost.kwh is None
    assert "kWh" not in str(cost)


def test_a_cost_reads_as_money_and_days():
    text = str(training_cost(1e12, 1e9, OWN))
    assert text == (
        "6e+21 FLOPs, 3,330 device-hours, 13.9 days on 10 devices, 6,670 USD, 1,670 kWh"
    )


def test_two_stages_add_up():
    both = training_cost(1e11, 1e9, OWN) + training_cost(2e11, 1e9, OWN)
    assert float(both.money) == pytest.approx(float(training_cost(3e11, 1e9, OWN).money))
    with pytest.raises(InputError, match="different hardware"):
        both + training_cost(1e9, 1e9)


@given(
    amount=st.floats(1e-3, 1e12),
    unit=st.sampled_from(["flops", "device-hours", "money", "days"]),
)
def test_a_budget_buys_what_it_costs(amount, unit):
    cost = cost_of_flops(flops_of(amount, unit, OWN), OWN)
    spent = {
        "flops": cost.flops,
        "device-hours": cost.device_hours,
        "money": cost.money,
        "days": cost.days,
    }[unit]
    assert float(spent) == pytest.approx(amount)


@pytest.mark.parametrize(
    ("amount", "unit", "on", "words"),
    [
        (0.0, "flops", OWN, "above 0"),
        (float("nan"), "money", OWN, "above 0"),
        (5.0, "money", Hardware("own", 1e15), "price"),
        (5.0, "days", None, "--hardware"),
        (5.0, "euros", OWN, "unknown unit"),
    ],
)
def test_budgets_that_buy_nothing_are_refused(amount, unit, on, words):
    with pytest.raises(InputError, match=words):
        flops_of(amount, unit, on)


def test_named_devices_say_which_of_their_numbers_are_assumed():
    assert "2.5 USD" in hardware("H100").notes[0]
    assert "MFU of 0.4" in hardware("H100").notes[0]
    mine = hardware("h100", price=1.9, mfu=0.45)
    assert mine.notes == ()
    assert (mine.price, mine.watts) == (1.9, 700.0)
    assert hardware("RTX 4090") == HARDWARE["rtx4090"]


def test_no_power_is_claimed_where_none_is_published():
    assert cost_of_flops(1e20, hardware("tpu-v5e")).kwh is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mfu": 40.0}, "MFU is 40"),
        ({"mfu": 0.0}, "MFU is 0"),
        ({"price": -1.0}, "price"),
        ({"devices": 0}, "devices"),
        ({"colour": 1}, "no setting 'colour'"),
    ],
)
def test_senseless_hardware_is_refused(options, words):
    with pytest.raises(InputError, match=words):
        hardware("h100", **options)


def test_unknown_hardware_is_refused_with_the_known_names():
    with pytest.raises(InputError, match="h100, h200"):
        hardware("abacus")


def test_hardware_from_a_file(tmp_path):
    file = tmp_path / "ours.toml"
    file.write_text('[hardware]\nname = "h100"\nprice = 1.5\ncurrency = "EUR"\ndevices = 64\n')
    ours = read_hardware(file)
    assert (ours.price, ours.currency, ours.devices, ours.peak_flops) == (1.5, "EUR", 64, 989e12)
    file.write_text('name = "new chip"\npeak_flops = 5e15\nwatts = 1200\n')
    new = read_hardware(file)
    assert (new.name, new.price, new.peak_flops) == ("new chip", None, 5e15)
    assert "MFU" in new.notes[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = [", "not a TOML file"),
        ('name = "new"\n', "no hardware is called 'new'"),
        ('name = "h100"\nprice = "cheap"\n', "must be a number"),
        ("peak_flops = 1e15\nmfu = 4\n", "MFU is 4"),
    ],
)
def test_files_that_describe_no_hardware_are_refused(tmp_path, text, words):
    file = tmp_path / "ours.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=words):
        read_hardware(file)
    with pytest.raises(InputError, match="no such hardware file"):
        read_hardware(tmp_path / "absent.toml")
