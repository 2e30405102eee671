"""Small Hugging Face folders, written by the safetensors library."""

import json

import torch
from safetensors.torch import save_file

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 8,
    "intermediate_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "vocab_size": 11,
    "tie_word_embeddings": False,
}


def llama_shapes(config=CONFIG):
    d, f = config["hidden_size"], config["intermediate_size"]
    kv = d * config["num_key_value_heads"] // config["num_attention_heads"]
    shapes = {"model.embed_tokens.weight": (config["vocab_size"], d)}
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        shapes |= {
            f"{at}self_attn.q_proj.weight": (d, d),
            f"{at}self_attn.k_proj.weight": (kv, d),
            f"{at}self_attn.v_proj.weight": (kv, d),
            f"{at}self_attn.o_proj.weight": (d, d),
            f"{at}mlp.gate_proj.weight": (f, d),
            f"{at}mlp.up_proj.weight": (f, d),
            f"{at}mlp.down_proj.weight": (d, f),
            f"{at}input_layernorm.weight": (d,),
            f"{at}post_attention_layernorm.weight": (d,),
        }
    return shapes | {"model.norm.weight": (d,), "lm_head.weight": (config["vocab_size"], d)}


def random_tensors(shapes, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return {
        name: torch.randn(shape, generator=generator, dtype=torch.float32).to(dtype)
        for name, shape in shapes.items()
    }


def write_folder(folder, tensors, config=CONFIG, shards=1):
    """A Hugging Face folder as the safetensors library writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    if shards == 1:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return folder
    weight_map = {}
    for number in range(shards):
        file = f"model-{number + 1:05d}-of-{shards:05d}.safetensors"
        part = {name: tensors[name] for name in list(tensors)[number::shards]}
        save_file(part, folder / file, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(part, file)
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder
